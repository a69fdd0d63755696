"""What ``paging exact`` and ``paging game`` tell of trade-offs with predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from paging.cli.terminal import write_json, write_table

if TYPE_CHECKING:
    from proofs.game.predictions.trade_off import TradeOff
    from proofs.ratio.trade_off import PolicyTradeOff


def tell(
    title: str,
    found: TradeOff | PolicyTradeOff,
    facts: dict[str, object],
    max_states: int,
    certificate: str | None,
    *,
    as_json: bool,
) -> None:
    """Write a trade-off as a table or as JSON, and its certificate if a file is named."""
    from paging.certificate import write_certificate

    if certificate is not None:
        write_certificate(found.certificate(facts), certificate)
    shown = found.answer()
    if as_json:
        write_json({**shown, "max_states": max_states, "output": certificate, "provenance": facts})
    else:
        _write(title, shown, certificate)


def promise(shown: Mapping[str, Any]) -> str:
    """Return what coefficients say of a policy, or of the best one."""
    faults = "E[faults]" if shown.get("randomized") else "faults"
    reference = "R = OPT" if shown["predictions"] == "phase" else "every lazy R"
    return f"{faults} ≤ α·R + β·η0 + γ·η1 + a constant, for {reference}"


def _write(title: str, shown: Mapping[str, Any], certificate: str | None) -> None:
    """Write the coefficients of a trade-off with predictions as a table, the one that was computed marked."""
    least = shown["least"]
    ends = [shown["lower"], "?" if shown["upper"] is None else shown["upper"]]
    coefficients = {name: shown[name] or " … ".join(ends) for name in ("alpha", "beta", "gamma")}
    notes = [f"The least {least} with the other two. {promise(shown)}."]
    if certificate is not None:
        notes.append(f"Certificate written to {certificate}")
    write_table(
        title,
        ["α", "β", "γ", "computed", "states", "this is"],
        [[*coefficients.values(), least, shown["states"], "exact" if shown["exact"] else "an interval"]],
        left=(3, 5),
        notes=notes,
    )
