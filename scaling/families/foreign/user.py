"""Open a family in a user's own file: `family=path.py:Name`.

    from scaling.families import Counts, Shape

    class Bag:
        sizes = (1, 64)
        def shape(self, size, *, vocab, context):
            return Shape(size=size, vocab=vocab, context=context, depth=1, width=round(16 * size))
        def counts(self, shape):
            params = {"embedding": shape.vocab * shape.width, "head": shape.vocab * shape.width}
            flops = {"head": 2 * shape.vocab * shape.width}
            return Counts(params=params, params_active=sum(params.values()), flops=flops)
        def build(self, shape, *, seed):
            ...                                          # a torch module: tokens (B, T) -> logits (B, T, V)

The first call of `counts` for a shape compares the counts with the module: parameters with numel, FLOPs with
torch's counter.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scaling import user_file
from scaling.errors import ConfigError, one_of, quoted
from scaling.families.counts import COMPONENTS, Counts
from scaling.families.dial import check_size
from scaling.families.shape import Shape

if TYPE_CHECKING:
    from torch import nn

METHODS = ("shape", "counts", "build")
"""Methods that a user's family must have."""


@dataclass(kw_only=True)
class UserFamily:
    """A user's family with the interface of `Family`; its counts are checked once for each shape."""

    inner: Any
    """An instance of the class in the file."""
    name: str
    """`path.py:Name`, as in the config."""
    digest: str
    """SHA-256 of the file; an edited file counts as another family."""
    changes: Mapping[str, Any]
    """Arguments of the class."""
    checked: set[Shape] = field(default_factory=set)
    """Shapes whose counts agree with their modules."""

    @property
    def objective(self) -> str:
        """Attribute `objective` of the class, else causal."""
        return str(getattr(self.inner, "objective", "causal"))

    @property
    def dial(self) -> str:
        """Attribute `dial` of the class, else its docstring."""
        return str(getattr(self.inner, "dial", inspect.getdoc(self.inner) or "its own"))

    @property
    def sizes(self) -> tuple[float, float]:
        """Attribute `sizes` of the class, else all sizes above 0."""
        given = getattr(self.inner, "sizes", (1e-9, math.inf))
        with user_file.blamed(f"{self.name}.sizes must be two numbers, not {quoted(given)}"):
            low, high = map(float, given)
        return low, high

    @property
    def source(self) -> str:
        """Attribute `source` of the class, else `name`."""
        return str(getattr(self.inner, "source", self.name))

    @property
    def switches(self) -> dict[str, Any]:
        """Arguments of the class and the fingerprint of its file."""
        return {**self.changes, "file": self.digest[:16]}

    def shape(self, size: float, *, vocab: int, context: int) -> Shape:
        """Return the shape at this size.

        Raises ShapeError when the size is out of range, ConfigError when the method returns no Shape.
        """
        size = check_size(size, self.name, self.sizes)
        with user_file.blamed(f"{self.name}.shape fails"):
            shape = self.inner.shape(size, vocab=vocab, context=context)
        if not isinstance(shape, Shape):
            raise ConfigError(
                f"{self.name}.shape must return a scaling.families.Shape; not {type(shape).__name__}"
            )
        return shape

    def counts(self, shape: Shape) -> Counts:
        """Return the counts; the first call for a shape compares them with the module on the meta device.

        Raises ConfigError when the method returns no Counts, or the two disagree.
        """
        with user_file.blamed(f"{self.name}.counts fails"):
            counts = self.inner.counts(shape)
        if not isinstance(counts, Counts):
            raise ConfigError(f"{self.name}: counts must return Counts; not {type(counts).__name__}")
        for value in (*counts.params.values(), *counts.flops.values(), counts.params_active):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise ConfigError(f"{self.name}: counts holds {quoted(value)}; give numbers from 0")
        unknown = (set(counts.params) | set(counts.flops)) - set(COMPONENTS)
        if unknown:
            raise ConfigError(one_of(f"a component in the counts of {self.name}", min(unknown), COMPONENTS))
        if shape not in self.checked:
            compare(self.name, self.build(shape, seed=0), shape, counts, self.objective)
            self.checked.add(shape)
        return counts

    def build(self, shape: Shape, *, seed: int) -> nn.Module:
        """Return the module, built with this seed; torch's generator is not changed."""
        import torch

        with torch.random.fork_rng(devices=[]), user_file.blamed(f"{self.name}.build fails"):
            torch.manual_seed(seed)
            module = self.inner.build(shape, seed=seed)
        if not isinstance(module, torch.nn.Module):
            raise ConfigError(f"{self.name}.build must return a torch module; not {type(module).__name__}")
        return module


def compare(name: str, module: nn.Module, shape: Shape, counts: Counts, objective: str) -> None:
    """Raise ConfigError, with both counts in the message, when counts and module disagree.

    FLOPs are compared for causal modules that can run on the meta device. Counts above torch's are allowed
    only for modules with recurrent kernels, which torch does not count.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    total = sum(parameter.numel() for parameter in module.parameters())
    if total != counts.params_total:
        own = ", ".join(f"{key} {value:,}" for key, value in counts.params.items())
        theirs = ", ".join(f"{key} {value.numel():,}" for key, value in module.named_parameters())
        raise ConfigError(
            f"the counts of {name} say {counts.params_total:,} parameters ({own}) and its module holds "
            f"{total:,} ({theirs}); make the two agree"
        )
    if objective != "causal":
        return
    meta = module.to("meta").eval()
    tokens = torch.zeros(1, shape.context, dtype=torch.long, device="meta")
    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            logits = meta(tokens)
    except (NotImplementedError, RuntimeError):
        return
    except (Exception, SystemExit) as error:
        with user_file.blamed(f"the module of {name} fails on tokens of shape (1, {shape.context})"):
            raise error
    wanted = (1, shape.context, shape.vocab)
    if tuple(getattr(logits, "shape", ())) != wanted:
        raise ConfigError(
            f"the module of {name} must return logits of shape {wanted}; not "
            f"{tuple(logits.shape) if hasattr(logits, 'shape') else type(logits).__name__}"
        )
    measured, declared = counter.get_total_flops() / shape.context, counts.flops_per_token / 3
    recurrent = any(isinstance(part, torch.nn.RNNBase) for part in module.modules())
    if not math.isclose(measured, declared, rel_tol=0.01) and not (recurrent and declared > measured):
        own = ", ".join(f"{key} {value:,.0f}" for key, value in counts.flops.items())
        raise ConfigError(
            f"the counts of {name} say {declared:,.0f} forward FLOPs per token without norms ({own}) "
            f"and torch counts {measured:,.0f}; make the two agree"
        )


def family(name: str, changes: Mapping[str, Any]) -> UserFamily:
    """Return the family of the class `Name` in the file `path.py`, from `path.py:Name`.

    Raises:
        ConfigError: when the file, the class or one of its methods is missing, the file has changed since the
            run was declared, or the class does not take the arguments.
    """
    changes = dict(changes)
    fingerprint = changes.pop("file", None)
    path, _, class_name = name.rpartition(":")
    file = user_file.find(path)
    if file is None:
        raise ConfigError(f"there is no file {path!r}; a family of your own is family=path.py:Name")
    digest = user_file.digest(file)
    if fingerprint is not None and not digest.startswith(fingerprint):
        raise ConfigError(
            f"{path} has changed since this run was declared; bring the old file back, or run it anew"
        )
    module = user_file.run(file)
    classes = [
        key
        for key, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]
    if class_name not in classes:
        raise ConfigError(one_of(f"a class of {path}", class_name, classes or ["(none)"]))
    kind = getattr(module, class_name)
    for method in METHODS:
        if not callable(getattr(kind, method, None)):
            raise ConfigError(
                f"{class_name} in {path} has no method {method}; a family needs {', '.join(METHODS)}"
            )
    try:
        inspect.signature(kind).bind(**changes)
    except TypeError as error:
        raise ConfigError(f"{class_name} in {path} does not take these switches: {error}") from None
    with user_file.blamed(f"{class_name} in {path} cannot be made"):
        inner = kind(**changes)
    return UserFamily(inner=inner, name=name, digest=digest, changes=changes)
