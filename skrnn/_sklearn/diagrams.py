"""Diagrams of estimators in notebooks: links to the documentation, and what was fitted."""

from html import escape
from importlib.util import find_spec

if find_spec("sklearn.utils._repr_html"):
    from sklearn.utils._repr_html.estimator import _VisualBlock as VisualBlock
else:
    from sklearn.utils._estimator_html_repr import _VisualBlock as VisualBlock

DOCUMENTATION = "https://skrnn.readthedocs.io/en/stable"


class DocumentedMixin:
    """Diagrams link to the documentation of an estimator and of its parameters; a base class before `BaseEstimator`."""

    _doc_link_module = "skrnn"
    _doc_link_template = f"{DOCUMENTATION}/api/{{estimator_module}}.{{estimator_name}}.html"


class DiagramMixin:
    """Diagrams show what was fitted; a base class before `BaseEstimator`.

    A subclass has ``_summary()``: of an estimator that is fitted a short text, and a dict of texts by title.
    """

    def _sk_visual_block_(self):
        caption, details = None, str(self)
        if self.__sklearn_is_fitted__():
            caption, summary = self._summary()
            # Before 1.7 all that there is room for is text
            details = "\n".join([details, "", *(f"{title}: {text}" for title, text in summary.items())])
        name = type(self).__name__
        return VisualBlock(
            "single", self, names=name, name_details=details, name_caption=caption, doc_link_label=name
        )

    def _get_params_html(self, *arguments, **keywords):
        """From 1.7 on a table, below which what was fitted stands where there is no table for that."""
        table = super()._get_params_html(*arguments, **keywords)
        return table if hasattr(super(), "_get_fitted_attr_html") else self._with_summary(table, below=True)

    def _get_fitted_attr_html(self, *arguments, **keywords):
        """From 1.9 on a table of the fitted attributes."""
        return self._with_summary(super()._get_fitted_attr_html(*arguments, **keywords))

    def _with_summary(self, table, below=False):
        """A table, and above or below it that of what was fitted."""
        if self.__sklearn_is_fitted__():
            own, summary = table._html_repr, table_of_texts("Trained network", self._summary()[1])
            table._html_repr = (lambda: own() + summary) if below else (lambda: summary + own())
        return table


def block_of_part(name, part):
    """What a diagram shows within an estimator that holds another one as its attribute `name`."""
    return VisualBlock("parallel", [part], names=[f"{name}: {type(part).__name__}"], name_details=[str(part)])


def table_of_texts(title, texts):
    """A table in scikit-learn's style of texts by title, which can be folded away, as HTML."""
    rows = "".join(
        f'<tr class="default"><td class="param" style="padding: .5em">{escape(name)}</td>'
        f'<td class="value" style="padding: .5em">{escape(text)}</td></tr>'
        for name, text in texts.items()
    )
    return (
        f'<div class="estimator-table"><details><summary>{escape(title)}</summary>'
        f'<table class="parameters-table"><tbody>{rows}</tbody></table></details></div>'
    )
