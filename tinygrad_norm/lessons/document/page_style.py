"""The style sheet of the lecture's page: light and dark, wide and narrow, screen and print.

The lines of a chart use the Okabe–Ito colors, darkened or lightened to at least 3:1 against the page.
"""

STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --ink: #1b1f24; --soft: #57606a;
  --rule: #d0d7de; --panel: #f6f8fa; --pad: #e6eaef; --pad-stripe: #f0f3f6; --pad-ink: #4a525b; --link: #0b5cad;
  --slip: #b3441a; --right: #00704f; --caution: #7a5b00; --partly: #0b5cad;
  --s0: #0072b2; --s1: #b8500b; --s2: #00785a; }
@media (prefers-color-scheme: dark) { :root { --page: #0e1116; --ink: #e6e9ed; --soft: #a3acb6;
  --rule: #343b45; --panel: #171b22; --pad: #262c35; --pad-stripe: #1f242c; --pad-ink: #b3bcc7; --link: #79b8ff;
  --slip: #ff9466; --right: #45cf9f; --caution: #e0bd4a; --partly: #79b8ff;
  --s0: #56b4e9; --s1: #e69f00; --s2: #2fc796; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
.layout { display: grid; grid-template-columns: 15rem minmax(0, 1fr); gap: 3rem;
  max-width: 78rem; margin: 0 auto; padding: 2rem 1.5rem 5rem; }
header { grid-column: 1 / -1; border-bottom: 1px solid var(--rule); padding-bottom: 1rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.45rem; line-height: 1.25; margin: 0 0 1rem; }
h2 .number { color: var(--soft); font-weight: 400; }
a { color: var(--link); }
nav { position: sticky; top: 1.5rem; align-self: start; font-size: .925rem; line-height: 1.4; }
nav ol { margin: 0; padding-left: 1.5rem; } nav li { margin: .5rem 0; }
nav a { text-decoration: none; } nav a:hover { text-decoration: underline; }
section { padding-bottom: 2.5rem; margin-bottom: 2.5rem; border-bottom: 1px solid var(--rule); }
section:last-child { border-bottom: 0; margin-bottom: 0; }
p { max-width: 44rem; margin: 0 0 1rem; overflow-wrap: break-word; }
header p { color: var(--soft); margin-bottom: .5rem; }
pre { overflow-x: auto; max-width: 44rem; margin: 0 0 1rem; padding: .75rem 1rem;
  background: var(--panel); border-radius: 6px; }
pre, td, th { font-family: ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; }
pre { font-size: .9rem; line-height: 1.5; }
figure { margin: 0 0 1.75rem; max-width: 100%; }
figcaption { font-weight: 600; margin-bottom: .4rem; max-width: 44rem; }
figure .note { font-size: .9rem; color: var(--soft); margin: .4rem 0 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.35;
  font-variant-numeric: tabular-nums; }
th, td { padding: .3rem calc(.8rem + var(--tail, 0) * 1ch) .3rem .8rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--rule); }
thead th { color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--rule); }
th[scope=row], td.text, th.text { text-align: left; }
th[scope=row] { font-weight: 600; position: sticky; left: 0; background: var(--page); }
td.pad.text { text-align: left; }
tr.pad > *, td.pad, th.pad { color: var(--pad-ink); font-weight: 400; font-style: italic;
  background: repeating-linear-gradient(135deg, var(--pad) 0 6px, var(--pad-stripe) 6px 9px); }
.claim { max-width: 44rem; margin: 0 0 1.25rem; padding: .75rem 1rem; background: var(--panel);
  border-left: 4px solid var(--tone); border-radius: 0 6px 6px 0; }
.claim dl { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); gap: .35rem 1rem; margin: 0; }
.claim dt { color: var(--soft); font-size: .875rem; line-height: 1.6rem; }
.claim dt.verdict { color: var(--tone); font-weight: 700; }
.claim dd { margin: 0; overflow-wrap: break-word; }
.claim .says { font-style: italic; }
.slip { --tone: var(--slip); } .right { --tone: var(--right); } .partly-shown { --tone: var(--partly); }
.imprecise, .too-strong, .disputed { --tone: var(--caution); }
.take-away { max-width: 44rem; padding: .75rem 1rem; border: 1px solid var(--rule); border-radius: 6px; }
.take-away h3 { font-size: .875rem; margin: 0 0 .25rem; color: var(--soft); }
.take-away ul { margin: 0; padding-left: 1.25rem; }
.chart { max-width: 44rem; } .chart > svg { width: 100%; height: auto; display: block; }
.graph svg { max-width: 100%; height: auto; display: block; }
.chart text { fill: var(--soft); font-size: 12px; font-family: inherit; }
.chart .axis { fill: var(--ink); font-size: 13px; } .middle { text-anchor: middle; } .end { text-anchor: end; }
.grid { stroke: var(--rule); stroke-width: .6; fill: none; }
.level { stroke: var(--ink); stroke-width: 1.2; fill: none; }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
.series-0 { stroke: var(--s0); } .series-1 { stroke: var(--s1); } .series-2 { stroke: var(--s2); }
.thin { stroke-width: 1.2; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .5rem 0 0; padding: 0;
  list-style: none; font-size: .875rem; color: var(--soft); }
.sample { width: 36px; height: 12px; margin-right: .4rem; vertical-align: middle; }
@media (max-width: 56rem) {
  .layout { grid-template-columns: minmax(0, 1fr); gap: 1.5rem; padding: 1.25rem 1rem 3rem; }
  nav { position: static; padding-bottom: 1rem; border-bottom: 1px solid var(--rule); }
  nav li { margin: 0; } nav a { display: block; padding: .3rem 0; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; }
  th, td { padding: .3rem calc(.55rem + var(--tail, 0) * 1ch) .3rem .55rem; }
  .claim dl { grid-template-columns: minmax(0, 1fr); gap: 0; } .claim dd { margin-bottom: .4rem; }
  .chart text { font-size: 17px; } .chart .axis { font-size: 18px; } .graph svg { max-width: none; } }
@media print { nav { display: none; } .layout { display: block; } section { break-inside: auto; }
  figure, .claim { break-inside: avoid; } }
""".strip()
