import { html } from "../../shared/markup.ts";

/** The look of `report.html`: the reader's light or dark, no fonts or files from elsewhere. */
export const reportStyle = html`
:root { color-scheme: light dark; --ink: #1f2328; --paper: #ffffff; --soft: #57606a; --line: #d0d7de; --band: #f6f8fa;
  --c0: #0b5cad; --c1: #b3541e; --c2: #1a7f37; --c3: #7a3fb0; --c4: #8a6d00; --c5: #57606a; --bad: #b3261e; --good: #1a7f37; --warn: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9aa4af; --line: #30363d; --band: #161b22;
  --c0: #6cb6ff; --c1: #ffa56b; --c2: #6bc46d; --c3: #d2a8ff; --c4: #e3c341; --c5: #9aa4af; --bad: #ff8f87; --good: #6bc46d; --warn: #e3b341; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 1.5rem; color: var(--ink); background: var(--paper); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; } h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
p, li { max-width: 46rem; } .soft { color: var(--soft); font-size: .9rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .4rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; white-space: normal; } th:nth-child(2), td:nth-child(2) { min-width: 9rem; } thead th { background: var(--band); white-space: normal; vertical-align: bottom; }
.finding { border-left: 4px solid var(--line); padding: .3rem .8rem; margin: .6rem 0; background: var(--band); }
.finding.error { border-color: var(--bad); } .finding.warning { border-color: var(--warn); } .finding.info, .finding.hint { border-color: var(--c0); }
.met { color: var(--good); } .missed { color: var(--bad); font-weight: 600; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); gap: 1rem; }
figure { margin: 0; } .samples figure { border: 1px solid var(--line); padding: .6rem; border-radius: 4px; }
.scale { display: inline-block; width: 10rem; height: .7rem; background: linear-gradient(to right, #00204d, #39486b, #707173, #a69d75, #ffea46); vertical-align: middle; }
.figure-drawing { width: 100%; height: auto; display: block; } figcaption { font-weight: 600; color: var(--ink); }
td small, th small { font-weight: normal; color: var(--soft); }
.figures td, .figures th { text-align: right; } .figures td.text, .figures th.text { text-align: left; white-space: normal; }
.figures th:nth-child(2), .figures td:nth-child(2) { min-width: 0; } .figures td.text { min-width: 7rem; } .figures td.long { min-width: 16rem; }
@media (max-width: 75rem) { body { padding: 1.5rem .75rem; } table { font-size: .82rem; } th, td { padding: .3rem .2rem; } th:nth-child(2), td:nth-child(2) { min-width: 6.5rem; } }
.charts { display: flex; gap: 1.5rem; flex-wrap: wrap; } .charts figure { flex: 1 1 20rem; max-width: 26rem; min-width: 0; }
@media (max-width: 30rem) { body { padding: .6rem; } .samples figure { padding: .3rem; } }
pre { overflow-x: auto; background: var(--band); padding: .8rem; font-size: .85rem; }
`;
