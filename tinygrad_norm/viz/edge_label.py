"""What stands on an edge: local derivative, incoming gradient and their product; for arrays the rule and the shapes."""

from __future__ import annotations

from .card import NEW_LINE, escaped, font, one_line_or_summary, shortened_end
from .graph import EdgeView, Value
from .theme import Palette
from .values import shape_text

SIZE = 9
LONGEST = 36


def edge_label(edge: EdgeView, colors: Palette, lifted: bool = False) -> str:
    """Return the label of a gradient's edge; ``lifted`` keeps it clear of an edge that runs below it."""
    if edge.local:
        product = one_line_or_summary(edge.contribution or Value())
        lines = [f"ḡ {edge.incoming} · ∂ {edge.local} = {product}"]
    else:
        lines = [edge.rule or "gradient", edge.shapes]
    lines += [*edge.badges, *(["WRONG"] if edge.wrong else [])]
    text = NEW_LINE.join(
        font(f"  {escaped(shortened_end(line, LONGEST))}  ", colors.backward, SIZE) for line in lines if line
    )
    clearance = f"{font(' ', colors.backward, 6)}{NEW_LINE}" if lifted else ""
    return f"<{text}{NEW_LINE}{clearance}>"


def edge_tooltip(edge: EdgeView) -> str:
    """Return what a pointer over an edge shows."""
    if edge.repeats > 1:
        return f"{edge.source} → {edge.target}, used {edge.repeats} times there"
    name = f" as {edge.argument}" if edge.argument else ""
    lines = [f"{edge.source} → {edge.target}{name}, shape {shape_text(edge.shape)}"]
    if edge.contribution is not None:
        lines.append(f"back: {edge.rule}, {edge.shapes}")
        if edge.local:
            lines.append(f"ḡ {edge.incoming} · local derivative {edge.local}")
        lines.append(f"contribution {one_line_or_summary(edge.contribution)}")
    elif not edge.differentiable:
        lines.append("no gradient flows back")
    return "\n".join([*lines, *edge.badges])
