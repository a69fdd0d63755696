"""Closed forms for people: one printer of every formula, as plain text, as HTML and as LaTeX.

A form is what sympy holds; how sympy itself would write it is never shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sympy
from markupsafe import Markup

from paging.numbers import UNBOUNDED


def formula(form: Any) -> str:
    """Return a closed form as plain text with the field's letters.

    Examples
    --------
    >>> k, l = sympy.symbols("k ell")
    >>> formula(k - l + 1), formula(2 - 1 / l), formula(2 * sympy.harmonic(k) - 1), formula(sympy.oo)
    ('k − ℓ + 1', '2 − 1/ℓ', '2H_k − 1', 'unbounded')
    >>> formula(sympy.harmonic(sympy.Min(k - l + 1, k - 1)))
    'H_{min(k − 1, k − ℓ + 1)}'
    """
    return TEXT.write(form)


def formula_latex(form: Any) -> str:
    r"""Return a closed form as LaTeX, to stand inside mathematics.

    >>> k, l = sympy.symbols("k ell")
    >>> print(formula_latex(k - l + 1), formula_latex(sympy.harmonic(k) / l), formula_latex(sympy.oo))
    k - \ell + 1 \frac{H_k}{\ell} \infty
    """
    return LATEX.write(form)


@dataclass(frozen=True)
class Formula:
    """A closed form that tables and notebooks show as they can.

    Examples
    --------
    >>> k, l = sympy.symbols("k ell")
    >>> shown = Formula(sympy.harmonic(k) / l)
    >>> str(shown), shown._repr_latex_()
    ('H_k/ℓ', '$\\\\frac{H_k}{\\\\ell}$')
    >>> shown.__html__()
    Markup('<span style="white-space:nowrap"><i>H</i><sub><i>k</i></sub>/<i>ℓ</i></span>')
    """

    form: Any

    def __str__(self) -> str:
        return formula(self.form)

    def __html__(self) -> Markup:
        return Markup('<span style="white-space:nowrap">{}</span>').format(Markup(HTML.write(self.form)))

    def _repr_latex_(self) -> str:
        return f"${formula_latex(self.form)}$"


@dataclass(frozen=True)
class Notation:
    """How the parts of a formula are written; what they are and in which order is the same everywhere.

    Attributes
    ----------
    letter, function, below, above, over : str
        Formats of a symbol, a function's name, a subscript, a power and a fraction.
    letters : dict of str to str
        Symbols with another name in the field.
    minus, times, infinity : str
    brackets : tuple of str
        Around what is grouped.
    closed : bool
        Whether a fraction groups what stands above and below its line.
    """

    letter: str
    function: str
    below: str
    above: str
    over: str
    letters: dict[str, str]
    minus: str
    times: str
    infinity: str
    brackets: tuple[str, str]
    closed: bool

    def write(self, form: Any) -> str:
        """Write a form."""
        form = sympy.sympify(form)
        if form == sympy.oo:
            return self.infinity
        if form.is_Symbol:
            return self.letter.format(self.letters.get(form.name, form.name))
        if form.is_Add:
            return self._sum(form)
        if form.could_extract_minus_sign():
            return self.minus + self._grouped(-form)
        above, below = sympy.fraction(form)
        if below != 1:
            return self.over.format(
                self.write(above) if self.closed else self._grouped(above),
                self.write(below) if self.closed else self._grouped(below, also_products=True),
            )
        if form.is_Integer:
            return str(form)
        if form.is_Mul:
            return self._product(form)
        if form.is_Pow:
            base, exponent = form.as_base_exp()
            raised = self.write(exponent) if self.closed else self._grouped(exponent, also_products=True)
            return self._grouped(base, also_products=True) + self.above.format(raised)
        if isinstance(form, sympy.harmonic):
            return self.letter.format("H") + self._below(form.args[0])
        name = "ln" if isinstance(form, sympy.log) else type(form).__name__.lower()  # a function: min, max
        arguments = sorted(map(self.write, form.args), key=lambda text: (len(text), text))
        return self.function.format(name) + self._in_brackets(", ".join(arguments))

    def _sum(self, form: Any) -> str:
        """Write symbols first, negative ones after positive, numbers last; a positive term begins."""
        terms = sorted(form.args, key=lambda t: (t.is_number, t.could_extract_minus_sign(), TEXT.write(t)))
        first = next((term for term in terms if not term.could_extract_minus_sign()), terms[0])
        terms.sort(key=lambda term: term is not first)
        text = self.write(terms[0])
        for term in terms[1:]:
            negative = term.could_extract_minus_sign()
            text += f" {self.minus if negative else '+'} {self.write(-term if negative else term)}"
        return text

    def _product(self, form: Any) -> str:
        factors = list(form.args)
        text = self._grouped(factors[0])
        for before, factor in pairwise(factors):
            joined = before.is_number and (factor.is_Symbol or isinstance(factor, sympy.harmonic))
            text += ("" if joined else self.times) + self._grouped(factor)
        return text

    def _below(self, form: Any) -> str:
        plain = self.below == TEXT_BELOW and form.is_Atom
        return f"_{self.write(form)}" if plain else self.below.format(self.write(form))

    def _grouped(self, form: Any, *, also_products: bool = False) -> str:
        text = self.write(form)
        group = form.is_Add or (also_products and not (form.is_Symbol or form.is_Integer or form.is_Function))
        return self._in_brackets(text) if group else text

    def _in_brackets(self, text: str) -> str:
        return text.join(self.brackets)


TEXT_BELOW = "_{{{}}}"

GREEK = {"ell": "ℓ", "eta": "η", "eta0": "η0", "eta1": "η1", "beta": "β", "gamma": "γ"}

TEXT = Notation(
    letter="{}", function="{}", below=TEXT_BELOW, above="^{}", over="{}/{}", letters=GREEK,
    minus="−", times="·", infinity=UNBOUNDED, brackets=("(", ")"), closed=False,
)  # fmt: skip

HTML = Notation(
    letter="<i>{}</i>", function="{}", below="<sub>{}</sub>", above="<sup>{}</sup>", over="{}/{}",
    letters=GREEK, minus="−", times="·", infinity=UNBOUNDED, brackets=("(", ")"), closed=False,
)  # fmt: skip

LATEX = Notation(
    letter="{}", function="\\operatorname{{{}}}", below=TEXT_BELOW, above="^{{{}}}",
    over="\\frac{{{}}}{{{}}}",
    letters={
        "ell": "\\ell", "eta": "\\eta", "eta0": "\\eta_0", "eta1": "\\eta_1", "beta": "\\beta",
        "gamma": "\\gamma",
    },
    minus="-", times=" \\cdot ", infinity="\\infty",
    brackets=("\\left(", "\\right)"), closed=True,
)  # fmt: skip
