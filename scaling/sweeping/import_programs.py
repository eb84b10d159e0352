"""Read the files that other training programs leave for one run. Each reader returns a row and notes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from scaling.errors import LaunchError, TableError
from scaling.tables.objects import parsed

Row = dict[str, Any]


def trainer(path: Path) -> tuple[Row, list[str]]:
    """Read the last evaluation of a `trainer_state.json` of the Hugging Face Trainer.

    Loss, steps, epochs and tokens are those of that evaluation; what is not known then is left out. Raises
    TableError.
    """
    try:
        state = parsed(_read(path))
        evaluations = [entry for entry in state["log_history"] if "eval_loss" in entry]
        last = dict(evaluations[-1]) if evaluations else {}
    except (ValueError, KeyError, TypeError):
        raise TableError(
            f"{path} is not a trainer_state.json: it has no log_history; give the file that the Trainer saves"
        ) from None
    if not last:
        raise TableError(
            f"{path} holds no eval_loss; train with an evaluation, or import a table of your own"
        )
    loss, step, end = last["eval_loss"], last.get("step"), state.get("global_step")
    if not isinstance(loss, int | float) or not math.isfinite(loss):
        raise TableError(
            f"the last evaluation of {path}, at step {step}, has the loss {loss}, so the run has no end; "
            "leave this run out, or import a table with the evaluation that you trust"
        )
    # total_flos leaves out the attention scores, so it is not C
    counted = state if step is not None and step == end else {}
    row = {
        "loss": loss,
        "steps": step,
        "epochs": last.get("epoch", counted.get("epoch")),
        "tokens": last.get("num_input_tokens_seen") or counted.get("num_input_tokens_seen") or None,
    }
    notes = []
    if step is not None and step != end:
        notes.append(f"{path} was last evaluated at step {step} of {end}; the row describes that step")
    best = state.get("best_metric")
    if isinstance(best, int | float) and best < loss:
        notes.append(f"the best evaluation of {path} is {best:g}; its last one, {loss:g}, is taken")
    return {key: value for key, value in row.items() if value is not None}, notes


def wandb(path: Path) -> tuple[Row, list[str]]:
    """Read the summary of a W&B run, as `summary.KEY`, and its config, as `config.KEY`. Raises TableError."""
    file = path / "files" / "wandb-summary.json" if path.is_dir() else path
    if path.is_dir() and not file.exists():
        raise TableError(
            f"{path} is an offline W&B run, in a file that only W&B reads; upload it with `wandb sync` and "
            f"export the runs as CSV, or write them to TensorBoard as well"
        )
    try:
        summary = parsed(_read(file))
    except ValueError:
        summary = None
    if not isinstance(summary, Mapping):
        raise TableError(f"{file} is not a W&B summary; give the folder of a run, or a CSV exported from W&B")
    row = dict(_cells("summary", summary))
    config = file.with_name("config.yaml")
    if config.exists():
        row |= {name.removesuffix(".value"): value for name, value in _cells("config", _yaml(config))}
    return row, []


def _cells(name: str, value: Any, depth: int = 4) -> Iterator[tuple[str, int | float | str]]:
    """Yield the numbers and texts within nested mappings, by their path. Other values are left out."""
    if isinstance(value, int | float | str):
        yield name, value
    elif isinstance(value, Mapping) and depth:
        for key, inner in value.items():
            yield from _cells(f"{name}.{key}", inner, depth - 1)


def _yaml(path: Path) -> Mapping[str, Any]:
    """Return the mapping of a YAML file. Tags, such as !!python/tuple, are ignored and construct nothing."""
    import yaml

    class Loader(yaml.SafeLoader):
        """A safe loader that reads a value of an unknown tag as a plain list, mapping or text."""

    def untagged(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return str(node.value)

    Loader.add_multi_constructor("", untagged)
    try:
        found = yaml.load(_read(path), Loader) or {}
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        why = " ".join(str(error).split())
        raise TableError(f"{path} cannot be read as YAML ({why}); correct it, or remove it") from None
    if not isinstance(found, Mapping):
        raise TableError(
            f"{path} is not a W&B config; it must hold keys and values: correct it, or remove it"
        )
    return found


def events(path: Path) -> tuple[Row, list[str]]:
    """Read the TensorBoard event files of one run: the last value of every scalar, by tag.

    Raises TableError if there are no scalars, LaunchError if TensorBoard is not installed.
    """
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError:
        raise LaunchError(
            "reading event files needs TensorBoard; install it with: pip install 'scaling[mirrors]'"
        ) from None
    if not path.exists():
        raise TableError(f"there are no event files at {path}; give an existing file or folder")
    found = EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0})
    found.Reload()
    tags = found.Tags()
    last = {tag: found.Scalars(tag)[-1] for tag in tags["scalars"]}
    row: Row = {tag: event.value for tag, event in last.items()}
    for tag in tags["tensors"]:
        event = found.Tensors(tag)[-1]
        if event.tensor_proto.float_val:
            last[tag], row[tag] = event, float(event.tensor_proto.float_val[0])
    if not row:
        raise TableError(f"{path} holds no scalars; give the folder of one run's event files")
    first, end = (pick(last, key=lambda tag: last[tag].step) for pick in (min, max))
    if last[first].step == last[end].step:
        return row, []
    return row, [
        f"the last values of {path} are not of one step: {first!r} ends at step {last[first].step}, "
        f"{end!r} at {last[end].step}"
    ]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise TableError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise TableError(f"{path} cannot be read ({error.strerror}); give an existing file") from None


PROGRAMS: dict[str, Callable[[Path], tuple[Row, list[str]]]] = {
    "trainer": trainer,
    "wandb": wandb,
    "tensorboard": events,
}
"""Each kind of run files → its reader."""
