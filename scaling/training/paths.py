"""Where a run keeps what: one folder a run, every file name owned here."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from scaling.files import storage


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunPaths:
    """Every file of one run. The folder's name is the run's identity: point at it again and it goes on."""

    folder: Path
    """`results/runs/<run_id>`."""

    @classmethod
    def of(cls, results: Path | str, run_id: str) -> RunPaths:
        """The paths of a run under a folder of results."""
        return cls(folder=Path(results) / "runs" / run_id)

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def record(self) -> Path:
        """What the run left behind; written once, at the end."""
        return self.folder / "record.json"

    @property
    def config(self) -> Path:
        """The resolved config."""
        return self.folder / "config.yaml"

    @property
    def curve(self) -> Path:
        """The loss curve."""
        return self.folder / "curve.csv"

    @property
    def progress(self) -> Path:
        """The heartbeat of a run at work."""
        return self.folder / "progress.json"

    @property
    def claim(self) -> Path:
        """Who is working on it."""
        return self.folder / "claim.json"

    @property
    def checkpoint(self) -> Path:
        """The newest checkpoint of an unfinished run."""
        return self.folder / "checkpoint.pt"

    @property
    def checkpoint_before(self) -> Path:
        """The one before it, for when the newest is damaged."""
        return self.folder / "checkpoint.before.pt"

    def checkpoint_parts(self, step: int) -> Path:
        """The folder in which the processes of a team keep their parts of a checkpoint."""
        return self.folder / f"parts-{step}"

    def all_parts(self) -> list[Path]:
        """Every such folder that is there."""
        return sorted(self.folder.glob("parts-*"))

    @property
    def weights(self) -> Path:
        """The weights of the finished run, when they are kept."""
        return self.folder / "weights.pt"

    @property
    def best(self) -> Path:
        """The weights of the lowest held-out loss on the way, when they are kept."""
        return self.folder / "weights.best.pt"

    def milestone(self, step: int) -> Path:
        """The weights after `step` steps, when they are kept."""
        return self.folder / f"weights.step-{step}.pt"

    @property
    def error(self) -> Path:
        """The traceback of a crash."""
        return self.folder / "error.txt"

    @property
    def positions(self) -> Path:
        """Held-out loss by position in the context."""
        return self.folder / "positions.csv"

    @property
    def trunks(self) -> Path:
        """Checkpoints that runs share, beside the folder of runs."""
        return self.folder.parent.parent / "trunks"

    @property
    def compiled(self) -> Path:
        """Compiled code that runs share, likewise."""
        return self.folder.parent.parent / "compiled"

    def make(self) -> None:
        """Makes the folder and tries it. Raises StorageError when it cannot be written."""
        with storage(self.folder, "the run's folder"):
            self.folder.mkdir(parents=True, exist_ok=True)
            trial = self.folder / f".trial.{os.getpid()}"
            trial.touch()
            trial.unlink()
