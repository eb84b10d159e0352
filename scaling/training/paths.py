"""Define the names of all files of a run; each run has its own folder."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from scaling.files import check_free, storage, temporary

_PARTS = re.compile(r"parts-\d+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunPaths:
    """The files of one run. The folder's name is the run id, so a run with the same id continues there."""

    folder: Path
    """Folder `results/runs/<run_id>`."""

    @classmethod
    def of(cls, results: Path | str, run_id: str) -> RunPaths:
        """Return the paths of a run in a folder of results."""
        return cls(folder=Path(results) / "runs" / run_id)

    @property
    def run_id(self) -> str:
        """Run id, which is the folder's name."""
        return self.folder.name

    @property
    def record(self) -> Path:
        """Record of the run; written once, at the end."""
        return self.folder / "record.json"

    @property
    def config(self) -> Path:
        """Resolved config."""
        return self.folder / "config.yaml"

    @property
    def curve(self) -> Path:
        """Loss curve."""
        return self.folder / "curve.csv"

    @property
    def progress(self) -> Path:
        """Heartbeat of a running run."""
        return self.folder / "progress.json"

    @property
    def claim(self) -> Path:
        """Lease of the worker that trains the run."""
        return self.folder / "claim.json"

    @property
    def checkpoint(self) -> Path:
        """Newest checkpoint of an unfinished run."""
        return self.folder / "checkpoint.pt"

    @property
    def checkpoint_before(self) -> Path:
        """Previous checkpoint, which is read if the newest is damaged."""
        return self.folder / "checkpoint.before.pt"

    def checkpoint_parts(self, step: int) -> Path:
        """Return the folder of a checkpoint's parts, one part per process of a team."""
        return self.folder / f"parts-{step}"

    def all_parts(self) -> list[Path]:
        """Return the existing folders of checkpoint parts; a link is none."""
        return sorted(
            path
            for path in self.folder.glob("parts-*")
            if _PARTS.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
        )

    @property
    def weights(self) -> Path:
        """Weights of the finished run, if they are kept."""
        return self.folder / "weights.pt"

    @property
    def best(self) -> Path:
        """Weights with the lowest held-out loss during training, if they are kept."""
        return self.folder / "weights.best.pt"

    def milestone(self, step: int) -> Path:
        """Return the file of the weights after `step` steps, if they are kept."""
        return self.folder / f"weights.step-{step}.pt"

    @property
    def error(self) -> Path:
        """Traceback of a crash."""
        return self.folder / "error.txt"

    @property
    def positions(self) -> Path:
        """Held-out loss by position in the context."""
        return self.folder / "positions.csv"

    @property
    def trunks(self) -> Path:
        """Folder of the trunks' checkpoints, which runs share; next to the folder of runs."""
        return self.folder.parent.parent / "trunks"

    @property
    def compiled(self) -> Path:
        """Folder of compiled code, which runs share; next to the folder of runs."""
        return self.folder.parent.parent / "compiled"

    @property
    def renamed(self) -> tuple[str, ...]:
        """Names of the files that are renamed to `<name>.damaged` when they cannot be read."""
        return tuple(path.name for path in (self.record, self.checkpoint, self.checkpoint_before))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all files, beside which temporary files can stand; `make` writes a trial."""
        more = (self.config, self.curve, self.progress, self.claim, self.weights, self.error, self.positions)
        return (*self.renamed, *(path.name for path in more), "trial")

    def make(self) -> None:
        """Create the folder and test that the run's files can be written. Raises StorageError."""
        for name in self.names:
            check_free(self.folder / name)
        with storage(self.folder, "the run's folder"):
            self.folder.mkdir(parents=True, exist_ok=True)
            trial = temporary(self.folder / "trial")
            trial.touch()
            trial.unlink()
