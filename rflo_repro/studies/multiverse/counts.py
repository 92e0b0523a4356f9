"""In how many variants of what the paper leaves open each claim holds, by the median over their few networks."""

from __future__ import annotations

import pandas as pd

from rflo_repro.studies.multiverse.design import BASELINE, DESIGN, EXCLUDED

ADDITIVE = "locality costs, feedback does not, and they add up"  # claims that begin so are a 2 × 2 design


def statements(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of a `readings` table that are of claims to be shown.

    Left out are claims that are a 2 x 2 design, and parts that no variant of the design measures, such as delays beyond
    15 tau.
    """
    rows = frame[~frame.claim.str.startswith(ADDITIVE)]
    measured = rows[rows.estimate.notna() & (rows.kind != EXCLUDED)]
    return rows.merge(measured[["figure", "claim", "part"]].drop_duplicates())


def counts(frame: pd.DataFrame) -> pd.DataFrame:
    """How many variants agree with each primary part of a claim.

    Parameters
    ----------
    frame
        A `readings` table. Only the baseline and the variants of the design count; a combination that the design has
        twice counts twice.

    Returns
    -------
    DataFrame
        A row a part, in the table's order. Columns: figure, claim, part; n_inside: variants whose median over networks
        lies where the claim says; n_tested: variants in which the claim could be tested; n: variants; baseline: whether
        the baseline's median lies there, missing if it could not be tested; n_networks: the most networks of a variant.
    """
    rows = statements(frame)
    rows = rows[rows.kind.isin([BASELINE, DESIGN]) & rows.primary]
    found = [
        {
            **dict(zip(("figure", "claim", "part"), key, strict=True)),
            "n_inside": int((of.inside > 0.0).sum()),
            "n_tested": int(of.inside.notna().sum()),
            "n": len(of),
            "baseline": _inside(of.inside[of.kind == BASELINE]),
            "n_networks": int(of.n_networks.max()),
        }
        for key, of in rows.groupby(["figure", "claim", "part"], sort=False)
    ]
    columns = ["figure", "claim", "part", "n_inside", "n_tested", "n", "baseline", "n_networks"]
    return pd.DataFrame(found, columns=columns).astype({"baseline": "boolean"})


def _inside(baseline: pd.Series[float]) -> bool | None:
    return bool(baseline.iloc[0] > 0.0) if baseline.notna().any() else None
