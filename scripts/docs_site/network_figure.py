"""The figure of the network, docs/network.svg, with the sizes of the shipped preset.

python -m resformer.scripts.docs_site.network_figure
"""

from dataclasses import dataclass
from pathlib import Path

from resformer.model.networks.presets import Preset, preset

__all__ = ["FIGURE", "draw_network"]

FIGURE = Path(__file__).resolve().parents[2] / "docs" / "network.svg"
WIDTH, HEIGHT = 1000, 500
LINE_HEIGHT = 19
SMALL = 12
INPUT, READ, LEARNED = "#eef2fa", "#fff4e0", "#e6f4ea"
INK, ARROW = "#1d2b53", "#55606e"


@dataclass(frozen=True)
class _Box:
    x: int
    y: int
    width: int
    height: int
    fill: str
    lines: tuple[str, ...]

    def svg(self) -> str:
        middle, top = self.x + self.width / 2, self.y + self.height / 2 - LINE_HEIGHT * (len(self.lines) - 1) / 2 + 5
        text = [
            f'<text x="{middle:g}" y="{top + LINE_HEIGHT * i:g}" '
            + ('font-weight="bold"' if i == 0 else f'font-size="{SMALL}"')
            + f">{line}</text>"
            for i, line in enumerate(self.lines)
        ]
        rect = (
            f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}" rx="10" fill="{self.fill}"/>'
        )
        return "\n    ".join([rect, *text])


def draw_network(sizes: Preset) -> str:
    """The figure as SVG."""
    patches = (sizes.image_size // sizes.stride) ** 2
    layers = f"width {sizes.width}, {sizes.heads} heads"
    boxes = (
        _Box(10, 60, 150, 60, INPUT, ("picture", f"{sizes.image_size} x {sizes.image_size} pixels")),
        _Box(10, 160, 150, 60, READ, ("printed words", "and where they stand")),
        _Box(10, 240, 150, 60, INPUT, ("caller's words", "title, description")),
        _Box(10, 340, 150, 60, INPUT, ("questions", "one for each entity")),
        _Box(10, 420, 150, 60, READ, ("candidates", "parsed quantities")),
        _Box(210, 60, 150, 60, LEARNED, ("residual stem", "with self-attention")),
        _Box(210, 200, 150, 60, LEARNED, ("embeddings", "subword, place, field")),
        _Box(210, 340, 150, 60, LEARNED, ("embeddings", "prompt of an entity")),
        _Box(210, 420, 150, 60, LEARNED, ("MLP", "of binned features")),
        _Box(410, 60, 160, 200, LEARNED, ("photo stream", f"{patches} patches", "words", "", "sees itself")),
        _Box(
            410,
            340,
            160,
            140,
            LEARNED,
            ("question streams", "prompt, candidates", "", "see the photo", "and themselves"),
        ),
        _Box(610, 180, 110, 160, LEARNED, ("encoder", f"{sizes.encoder_layers} layers", *layers.split(", "))),
        _Box(755, 180, 100, 160, LEARNED, ("decoder", f"{sizes.decoder_layers} layers", "cross-attention")),
        _Box(890, 60, 100, 90, INPUT, ("token", "a label,", "or empty")),
        _Box(890, 215, 100, 90, INPUT, ("pointer", "a candidate,", "or empty")),
        _Box(890, 370, 100, 90, INPUT, ("text", "subwords,", "copied words")),
        _Box(610, 60, 245, 60, LEARNED, ("linear shortcut", "pooled features, bags of words")),
    )
    arrows = (
        *("M160 90H208", "M160 190C185 190 185 220 208 222", "M160 270C185 270 185 240 208 238"),
        *("M160 370H208", "M160 450H208", "M360 90H408", "M360 230H408", "M360 370H408", "M360 450H408"),
        *("M570 200C592 200 588 240 608 240", "M570 380C595 380 588 290 608 290", "M720 260H753", "M570 90H608"),
        *("M855 90H888", "M855 220C875 220 868 130 888 130", "M855 260H888", "M855 300C875 300 868 415 888 415"),
    )
    arrow_paths = "\n    ".join(f'<path d="{path}"/>' for path in arrows)
    drawn = "\n    ".join(box.svg().replace("<text ", f'<text fill="{INK}" stroke="none" ') for box in boxes)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="DejaVu Sans, Verdana, sans-serif" \
font-size="14">
  <defs>
    <marker id="a" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
      <path d="M0 0 10 5 0 10z" fill="{ARROW}"/>
    </marker>
  </defs>
  <rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>
  <g fill="{INK}" font-size="{SMALL}" text-anchor="middle" font-style="italic">
    <text x="85" y="35">inputs</text>
    <text x="285" y="35">embedded</text>
    <text x="490" y="35">one sequence</text>
    <text x="732" y="35">transformer and shortcut</text>
    <text x="940" y="35">answers</text>
  </g>
  <g stroke="{ARROW}" stroke-width="1.6" fill="none" marker-end="url(#a)">
    {arrow_paths}
  </g>
  <g stroke="{INK}" stroke-width="1.6" text-anchor="middle">
    {drawn}
  </g>
</svg>
"""


if __name__ == "__main__":
    FIGURE.write_text(draw_network(preset("small")), encoding="utf-8")
    print(FIGURE)
