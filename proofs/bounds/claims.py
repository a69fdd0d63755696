"""What the theorems allow a policy with predictions to pay on a run, for those who show runs."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from adversary.formulas import formula
from paging.model import LayeredInstance
from paging.policy import get_policy
from paging.predictors import Errors
from proofs.bounds.bound import OPT, Bound
from proofs.bounds.registry import BOUNDS


def allowances(
    policy: str, instance: LayeredInstance, optimum: int | Fraction, errors: Errors
) -> list[tuple[str, str, str, Fraction, bool]]:
    """Return every upper bound on a policy with predictions that speaks here.

    Parameters
    ----------
    policy : str
        The policy as :func:`paging.get_policy` reads it.
    instance : LayeredInstance
    optimum : int
        Faults of OPT on the run.
    errors : Errors
        Errors of its predictions.

    Returns
    -------
    list of tuple
        Id, form, status, right side, and whether its additive constant is known (the right side holds it).

    Examples
    --------
    >>> allowances("flush-when-kept", LayeredInstance(1, 9, 4), 10, Errors(2, 1))
    [('flush-when-kept-upper', 'OPT + η0·(k − 1) + η1', 'our reading, ours', Fraction(17, 1), True)]
    """
    subject = get_policy(policy)
    return [
        (
            bound.id,
            _form(bound),
            f"{bound.origin}, {bound.standing}",
            right_side(bound, instance, optimum, errors),
            bound.additive is not None,
        )
        for bound in BOUNDS.values()
        if subject.predictions
        and bound.kind == "upper"
        and bound.subject.includes(subject)
        and bound.excluded(instance) is None
    ]


@cache
def _form(bound: Bound) -> str:
    return formula(bound.form if bound.errors else bound.value * OPT)


def right_side(bound: Bound, instance: LayeredInstance, optimum: int | Fraction, errors: Errors) -> Fraction:
    """Return what an upper bound allows on a run: value·OPT + errors + additive."""
    value, additive = bound.at(instance), bound.additive_at(instance)
    return Fraction(value) * optimum + bound.beside(instance, optimum, errors) + (additive or 0)
