"""Published tables by name: source at a pinned commit, licence, and the SHA-256 of the table that we use.

No table is part of this project. Some sources are the table itself, byte for byte; others must be converted
first (rows chosen, a notebook or a pickle read), and then only a mirror holds the table. The row says which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scaling.errors import TableError, one_of


@dataclass(frozen=True, kw_only=True)
class Source:
    """One published table of runs."""

    name: str
    """What `scaling fetch` calls it."""
    file: str
    """Its place inside a mirror folder (`SCALING_MIRROR`)."""
    sha256: str
    """Of the table as we use it, after any conversion."""
    repository: str
    """`owner/name` on GitHub."""
    commit: str
    """The pinned commit: 40 hex digits, or the short form where that is all that is known."""
    path: str
    """The file or folder inside the repository."""
    licence: str
    """What the source's repository states."""
    rows: int
    """Rows of the table."""
    paper: str
    """The paper behind it."""
    verbatim: bool = False
    """Whether the source file is the table byte for byte, so that its download must have `sha256`."""
    convert: Callable[[bytes], bytes] | None = None
    """Makes the table out of a source file of plain text. The result must have `sha256`."""
    changed: str = ""
    """What was done to the source to get the table; empty where `verbatim`."""

    @property
    def address(self) -> str | None:
        """Where a download starts, or None where only a mirror can hold the table."""
        if not (self.verbatim or self.convert):
            return None
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{self.path}"

    @property
    def pinned(self) -> str:
        """The source in one line: repository @ commit, path."""
        return f"{self.repository} @ {self.commit}, {self.path}"


def _below_fifth_largest_loss(source: bytes) -> bytes:
    """Keeps the header and the lines with a loss below the fifth largest: arXiv 2404.10102, section 3."""
    lines = source.decode().splitlines(keepends=True)
    column = lines[0].strip().split(",").index("loss")
    losses = [float(line.split(",")[column]) for line in lines[1:]]
    cut = sorted(losses)[-5]
    kept = (line for line, loss in zip(lines[1:], losses, strict=True) if loss < cut)
    return "".join([lines[0], *kept]).encode()


_CURVES = {
    "constant_24000": (171, "034a75e2415373a9be1097e9d406f98524344f4718d200d3a188dcbd5115103b"),
    "constant_72000": (546, "52b5752009e1e4c396f15016e98897238fccb3816f58576ea944f03fe529dbc3"),
    "cosine_24000": (171, "dd544dc61a11fa138c98ac0b673d5512287062d2d2d2e9c2867976abc8c46e69"),
    "cosine_72000": (546, "2e637203b48b3e3a84063f49035cde2f6a40c69ecd15d95b6551774b9a279f44"),
    "wsd_20000_24000": (171, "e66df98c85dba705ebc85512c6a09a8ebec5675878a20d4d783c0bf80d031002"),
    "wsdcon_18": (109, "33cfea673dc0efde9e4fd74cc47d8daabdebfdc6d5a2659835bd780347f6e651"),
    "wsdcon_3": (109, "a1cbb8c730ae0628d69bb1d7aefadbad5cda5f6a92272f85203cd33d7b8f4912"),
    "wsdcon_9": (109, "510256497a0ea9d4270919fb37c56140e1b4d07e50b96b46334891ba316f144e"),
    "wsdld_20000_24000": (171, "0ef6b02e260ff5efa51a5885655ead8cf126a7e9c4ea3034d403e11852c06fe2"),
}

_SOURCES = (
    Source(
        name="chinchilla",
        file="runs/epoch_chinchilla_240.csv",
        sha256="c8cbf9aed860beccffbc2ab32457e8e5f03773300264cea8a756aec1c27624e8",
        repository="epoch-research/analyzing-chinchilla",
        commit="9225883",
        path="data/svg_extracted_data.csv",
        licence="none stated: never redistribute",
        rows=240,
        paper="Hoffmann et al. 2022, arXiv 2203.15556, figure 4, as read off in arXiv 2404.10102",
        convert=_below_fifth_largest_loss,
        changed="rows with loss strictly below the fifth largest",
    ),
    Source(
        name="gadre-redpajama",
        file="runs/gadre_rpj.csv",
        sha256="4203908d88c057165f2cb64ccecf29969516932434e6685e96f546e53628e515",
        repository="mlfoundations/scaling",
        commit="a003c4913793ac2ae7ef87b28ecb562955d026d5",
        path="exp_data",
        licence="MIT",
        rows=35,
        paper="Gadre et al. 2024, arXiv 2403.08540",
        changed="RedPajama runs: one row a model out of exp_data/models and exp_data/evals",
    ),
    Source(
        name="porian-refinedweb",
        file="runs/porian_refinedweb.csv",
        sha256="6c22229b7c5911734c229d29a1c4031e086d2d56ec945c78dc58fb70bc88a8a6",
        repository="formll/resolving-scaling-law-discrepancies",
        commit="0dc60d9",
        path="data",
        licence="MIT",
        rows=579,
        paper="Porian et al. 2024, arXiv 2406.19146",
        changed="RefinedWeb rows of the pickled data frames, losses interpolated at each budget",
    ),
    Source(
        name="porian-refinedweb-published",
        file="runs/porian_refinedweb_published.csv",
        sha256="fe3137cb3af6f829155dcb5cd580e7343b2df6886285d991e08547877d6b6e9d",
        repository="formll/resolving-scaling-law-discrepancies",
        commit="0dc60d9",
        path="data",
        licence="MIT",
        rows=5,
        paper="Porian et al. 2024, arXiv 2406.19146, figure 1",
        changed="the exponents that the repository's own data frames carry",
    ),
    Source(
        name="datablations",
        file="runs/datablations_182.csv",
        sha256="87eac0e5d990b791267f9520ed9bd74fa225ba5102105c0a45e7f5336f1a4eaf",
        repository="huggingface/datablations",
        commit="1370131",
        path="utils/parametric_fit.ipynb",
        licence="Apache-2.0",
        rows=182,
        paper="Muennighoff et al. 2023, arXiv 2305.16264",
        changed="runs written inside the notebook, as a table",
    ),
    Source(
        name="gemstones-cool-end",
        file="runs/gemstones_cool_end.jsonl",
        sha256="bdf01b6b21bafc414218124a6f9e195cee07f3d69ceacbfae2fcf069d34f4e61",
        repository="mcleish7/gemstone-scaling-laws",
        commit="5f420478f6057b0cbb4d13405fb10ca64675bccb",
        path="wandb_dfs/wandb_df_for_fitting_cool_end.jsonl",
        licence="MIT",
        rows=199,
        paper="McLeish et al. 2025, arXiv 2502.06857",
        verbatim=True,
    ),
    Source(
        name="gemstones-hot",
        file="runs/gemstones_hot.jsonl",
        sha256="655467b59c99383403d6f73f5b7f23c02aea3f12935dc110382d8a8b43a0ff5d",
        repository="mcleish7/gemstone-scaling-laws",
        commit="5f420478f6057b0cbb4d13405fb10ca64675bccb",
        path="wandb_dfs/wandb_df_for_fitting_hot.jsonl",
        licence="MIT",
        rows=220,
        paper="McLeish et al. 2025, arXiv 2502.06857",
        verbatim=True,
    ),
    Source(
        name="gemstones-cool-end-published",
        file="runs/gemstones_cool_end_published.json",
        sha256="f69933bf157fa9ac2bf8e5cf6f5a263d65aece4b08d5eb5f398e2ff899cd5ec0",
        repository="mcleish7/gemstone-scaling-laws",
        commit="5f420478f6057b0cbb4d13405fb10ca64675bccb",
        path="parameters_delta-3/approach_3_parameters_grid_search_0_cool_end.json",
        licence="MIT",
        rows=1,
        paper="McLeish et al. 2025, arXiv 2502.06857",
        verbatim=True,
    ),
    Source(
        name="gemstones-hot-published",
        file="runs/gemstones_hot_published.json",
        sha256="d811cea273c7c792ee1b3a7224ce7cb2ce9f607d10460549a48cbe682a3678c0",
        repository="mcleish7/gemstone-scaling-laws",
        commit="5f420478f6057b0cbb4d13405fb10ca64675bccb",
        path="parameters_delta-3/approach_3_parameters_grid_search_0_hot.json",
        licence="MIT",
        rows=1,
        paper="McLeish et al. 2025, arXiv 2502.06857",
        verbatim=True,
    ),
    *(
        Source(
            name=f"multipower-{name.replace('_', '-')}",
            file=f"runs/multipowerlaw_100m/{name}.csv",
            sha256=sha256,
            repository="thu-yao-01-luo/MultiPowerLaw",
            commit="8da9f19",
            path=f"loss_curve_repo/csv_100/{name}.csv",
            licence="MIT",
            rows=rows,
            paper="Luo et al. 2025, arXiv 2503.12811",
            verbatim=True,
        )
        for name, (rows, sha256) in _CURVES.items()
    ),
    Source(
        name="olmo-ladder",
        file="runs/olmo_ladder_c4_train.csv",
        sha256="4785569bc8c169dfe735a13210d6766db06e02585a2dee181bc0ca1e865e4435",
        repository="allenai/OLMo-ladder",
        commit="67a3f440f787d020da35e3ca8eeae475fae754f5",
        path="src/scripts/paper",
        licence="Apache-2.0",
        rows=16,
        paper="Bhagia et al. 2024, arXiv 2412.04403",
        changed="last row of each training run's table",
    ),
    Source(
        name="routing",
        file="runs/routing_hash_dense_final.csv",
        sha256="17ca80b4e038fa79496a9dcc1a728accbeea31443362debf03b29f08cdf69294",
        repository="google-deepmind/scaling_laws_for_routing",
        commit="42da0c392b127df2c01fa7b705f72396050d05e5",
        path="data/curves.csv.gz",
        licence="CC-BY-4.0",
        rows=82,
        paper="Clark et al. 2022, arXiv 2202.01169",
        changed="last step of the Dense and Hash runs",
    ),
    Source(
        name="saturation-language",
        file="runs/revisiting_nsl_language.csv",
        sha256="63c346db00a66b692e1ea9a0f71a2f2b267e55f74be5b863a92e199dffbf0983",
        repository="google-research/google-research",
        commit="9853680c781781bd8d3de20aa61c7373ce059913",
        path="revisiting_neural_scaling_laws/data/benchmark.lang.csv",
        licence="Apache-2.0",
        rows=1399,
        paper="Alabdulmohsin et al. 2022, arXiv 2209.06640",
        verbatim=True,
    ),
    Source(
        name="fine-tuning-flan",
        file="runs/sft_flan.csv",
        sha256="ead24af8eaa97ac0507bbd76c4880eb09c6361e252f4971666ba55017215d1e9",
        repository="linhaowei1/Fine-tuning-Scaling-Law",
        commit="b7012351b1635c0b276f4a256a3ad02eb3e24a1d",
        path="benchmark/flan.csv",
        licence="Apache-2.0",
        rows=30,
        paper="Lin et al. 2024, arXiv 2402.02314",
        verbatim=True,
    ),
    Source(
        name="observational",
        file="runs/obsscaling_base_llm.csv",
        sha256="511996815735a4c46251dc585dcc525e370d148201f86561e6f927f9df2d0db8",
        repository="ryoungj/ObsScaling",
        commit="4d6e1e43fd2635d04654aa77d1df9d5266ea0382",
        path="eval_results/base_llm_benchmark_eval.csv",
        licence="none stated",
        rows=148,
        paper="Ruan et al. 2024, arXiv 2405.10938",
        verbatim=True,
    ),
)


def sources() -> dict[str, Source]:
    """Every published table, by name."""
    return {source.name: source for source in _SOURCES}


def source(name: str) -> Source:
    """One published table. Raises TableError with the nearest names."""
    known = sources()
    if name not in known:
        raise TableError(one_of("published table", name, known))
    return known[name]
