"""The look of the report: one sheet for the screen, light and dark, and for paper.

Inside a notebook nothing is coloured but what means something, so that it stands on any ground; a
page of its own brings its ground with it. Worst case: none, this is text.
"""

ELEMENT = """
.hft-day{font:13px/1.45 system-ui,"Segoe UI","DejaVu Sans",sans-serif;max-width:1080px}
.hft-day h1{font-size:22px;margin:0 0 2px;font-weight:650}
.hft-day h2{font-size:16px;margin:26px 0 6px;padding-top:8px;font-weight:650;
border-top:1px solid rgba(128,128,128,.35)}
.hft-day h3{font-size:13px;margin:14px 0 4px;font-weight:650}
.hft-day p{margin:4px 0}
.hft-day .quiet{opacity:.72}
.hft-day .small{font-size:11px}
.hft-day code{font:11px ui-monospace,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.hft-day table{border-collapse:collapse;font-size:12px;margin:2px 0 8px;color:inherit}
.hft-day th,.hft-day td{padding:2px 10px 2px 0;text-align:left;vertical-align:top;border:none;
background:none;color:inherit;white-space:normal}
.hft-day thead th{font-weight:600;border-bottom:1px solid rgba(128,128,128,.5)}
.hft-day tbody tr+tr td{border-top:1px solid rgba(128,128,128,.16)}
.hft-day .n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.hft-day .t{white-space:nowrap;font-variant-numeric:tabular-nums}
.hft-day .wide{overflow-x:auto}
.hft-day .tiles{display:flex;flex-wrap:wrap;margin:10px 0}
.hft-day .tile{padding:4px 22px 4px 0;min-width:96px}
.hft-day .tile b{display:block;font-size:19px;font-weight:650;
font-variant-numeric:tabular-nums}
.hft-day .tile>span{font-size:11px;opacity:.72}
.hft-day .badge{display:inline-block;border:1px solid currentColor;border-radius:9px;
padding:0 8px;font-size:11px;margin-right:6px;font-weight:600}
.hft-day .good{color:#2d8a57}.hft-day .bad{color:#d0504a}.hft-day .warn{color:#b07a12}
.hft-day .band{margin:8px 0;padding:7px 12px;border-left:5px solid #d0504a;
background:rgba(214,69,65,.16)}
.hft-day .band.mild{border-left-color:#d69e1e;background:rgba(224,170,50,.16)}
.hft-day svg{display:block;margin:4px 0 8px}
.hft-day .bar{display:inline-block;height:9px;border-radius:2px;background:#2f6fb0}
.hft-day .full{background:#d0504a}.hft-day .near{background:#d69e1e}
.hft-day .two{display:flex;flex-wrap:wrap}.hft-day .two>div{margin-right:36px}
"""
PAGE = """
html{color-scheme:light dark;background:#fdfdfc;color:#1c1f23}
body{margin:26px auto;padding:0 20px;max-width:1080px}
nav{font-size:12px;margin:6px 0 2px}nav a{color:inherit;opacity:.75;margin-right:14px}
@media(prefers-color-scheme:dark){html{background:#16181b;color:#e4e6e8}
body .hft-day .good{color:#58b883}
body .hft-day .bad{color:#f0807a}body .hft-day .warn{color:#dca941}}
@media print{html{background:#fff;color:#111;color-scheme:light}
body{margin:0;padding:0;max-width:none}nav{display:none}
body .hft-day{font-size:9.5pt;max-width:none}body .hft-day table{font-size:7.6pt}
body .hft-day th,body .hft-day td{padding:1.2pt 6pt 1.2pt 0}
body .hft-day h2{break-after:avoid}body .hft-day h3{break-after:avoid}
body .hft-day tr,body .hft-day svg,body .hft-day .tiles{break-inside:avoid}
body .hft-day thead{display:table-header-group}body .hft-day .wide{overflow:visible}
body .hft-day code{font-size:6.8pt}
body .hft-day .good{color:#1f6d43}
body .hft-day .bad{color:#b3322b}body .hft-day .warn{color:#8a5d06}}
@page{size:A4;margin:14mm 13mm 16mm;
@bottom-left{content:string(name);font:7pt "DejaVu Sans",sans-serif;color:#777}
@bottom-right{content:counter(page) " / " counter(pages);
font:7pt "DejaVu Sans",sans-serif;color:#777}}
h1{string-set:name content()}
"""
