"""Write and read sharded checkpoints with `torch.distributed.checkpoint`.

Every process writes its shards of weights and optimiser. Any number of processes, also one, can read them.
"""

from __future__ import annotations

import pickle
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from scaling.files import sha256, storage
from scaling.training.loop import Trainer

METADATA = ".metadata"
_KNOWN = {
    "BytesStorageMetadata", "ChunkStorageMetadata", "Metadata", "MetadataIndex", "StorageMeta",
    "TensorProperties", "TensorStorageMetadata", "_MEM_FORMAT_ENCODING", "_StorageInfo", "_get_layout",
    "PosixPath", "WindowsPath", "Size",
}  # fmt: skip
"""Names that the pickled description of a checkpoint's shards may contain."""


def save(trainer: Trainer, folder: Path) -> dict[str, str]:
    """Write the shards of all processes into a new folder; it is complete on return.

    Return the SHA-256 of every file. Raises StorageError.
    """
    from torch.distributed.checkpoint.filesystem import FileSystemWriter
    from torch.distributed.checkpoint.state_dict_saver import save as save_parts

    trainer.team.share(lambda: shutil.rmtree(folder, ignore_errors=True))
    with storage(folder, "a checkpoint in parts"), _quiet():
        save_parts(_tensors(trainer), storage_writer=FileSystemWriter(folder))
        ours = {path.name: sha256(path) for path in _part(trainer, folder)}
    return {name: digest for theirs in trainer.team.gather(ours) for name, digest in theirs.items()}


def load(trainer: Trainer, folder: Path, digests: Mapping[str, str] | None) -> None:
    """Load this process's shards into weights and optimiser.

    Each process compares its part of the files with `digests`; checkpoints of earlier versions have none.
    Raises an exception when the folder is damaged; the trainer is then partly loaded and must be discarded.
    """
    from torch.distributed.checkpoint.api import CheckpointException  # not a subclass of Exception
    from torch.distributed.checkpoint.state_dict_loader import load as load_parts

    if digests is not None:
        for path in {*_part(trainer, folder), folder / METADATA}:
            if sha256(path) != digests.get(path.name):
                raise ValueError(f"the checksum of {folder.name}/{path.name} is wrong")
    try:
        with torch.no_grad(), _quiet():
            load_parts(_tensors(trainer), storage_reader=_reader(folder), no_dist=True)
    except CheckpointException as error:
        raise ValueError(f"{folder.name} cannot be loaded") from error


def _part(trainer: Trainer, folder: Path) -> list[Path]:
    """Return the files of the folder that this process checks; each file has one process."""
    return sorted(folder.iterdir())[trainer.team.rank :: trainer.team.size]


def _reader(folder: Path) -> Any:
    """Return a reader of shards that unpickles only descriptions of tensors."""
    from torch.distributed.checkpoint.filesystem import FileSystemReader

    class Reader(FileSystemReader):
        def read_metadata(self, *args: Any, **kwargs: Any) -> Any:
            with (folder / METADATA).open("rb") as file:
                metadata = _Descriptions(file).load()
            metadata.storage_meta.load_id = self.load_id
            return metadata

    return Reader(folder)


class _Descriptions(pickle.Unpickler):
    """An unpickler that refuses everything but descriptions of tensors."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a known class, or a number format of torch. Raises UnpicklingError."""
        known = module.split(".")[0] in ("torch", "pathlib") and name in _KNOWN
        if not known and not (module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)):
            raise pickle.UnpicklingError(f"{METADATA} names {module}.{name}, which shards do not have")
        return super().find_class(module, name)


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    """Return weights and moments by name; the moments are zero before the optimiser's first step."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict

    options = StateDictOptions(flatten_optimizer_state_dict=True)
    weights, moments = get_state_dict(trainer.module, trainer.optimizers.parts, options=options)
    # learning rates and weight decays come from the config
    held: dict[str, Any] = {f"module.{name}": one for name, one in weights.items()}
    held |= {f"optimizers.{name}": one for name, one in moments.items() if isinstance(one, Tensor)}
    return held


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # torch warns about calls that it makes itself
        warnings.simplefilter("ignore")
        yield
