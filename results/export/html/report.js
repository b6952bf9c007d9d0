// Draws the charts of report.html with Apache ECharts. Every figure that is drawn also
// stands in a table: without scripts nothing is missing but the pictures.
'use strict';
(() => {
  const source = document.getElementById('data');
  const charts = source ? JSON.parse(source.textContent) : {};
  const drawn = [];
  let printing = false;

  const style = () => {
    const css = getComputedStyle(document.documentElement);
    return (name) => css.getPropertyValue('--' + name).trim();
  };

  // Widths of texts, measured once each.
  const pen = document.createElement('canvas').getContext('2d');
  const widths = new Map();
  const widthOf = (text, size) => {
    const key = size + text;
    if (!widths.has(key)) {
      pen.font = size + 'px ' + getComputedStyle(document.body).fontFamily;
      widths.set(key, pen.measureText(text).width);
    }
    return widths.get(key);
  };
  const cut = (text, size, room) => {
    if (widthOf(text, size) <= room) return text;
    let n = text.length;
    while (n > 1 && widthOf(text.slice(0, n) + '…', size) > room) n--;
    return text.slice(0, n) + '…';
  };

  // A tip is made of text, never of markup.
  const tip = (text) => {
    const node = document.createElement('div');
    node.className = 'tip';
    node.textContent = text;
    return node;
  };
  const tooltip = (colour) => ({
    confine: true, transitionDuration: 0, backgroundColor: colour('panel'), borderColor: colour('line'),
    textStyle: { color: colour('ink') }, extraCssText: 'white-space: normal',
    formatter: (p) => (p.data && p.data.tip ? tip(p.data.tip) : ''),
  });
  const number = (v) => (Math.abs(v) >= 1e4 ? v.toLocaleString('en') : String(+v.toPrecision(6)));

  const axisStyle = (colour) => ({
    axisLine: { show: false }, axisTick: { show: false }, splitLine: { lineStyle: { color: colour('line') } },
    axisLabel: { color: colour('soft'), fontSize: 11, hideOverlap: true }, nameTextStyle: { color: colour('soft'), fontSize: 11 },
  });

  // Bars along one axis, in rows.
  function bands(chart, colour, width) {
    const size = 11, room = Math.min(width * 0.34, 230);
    const labels = chart.rows.map((row) => cut(row, size, room));
    const left = Math.ceil(Math.max(...labels.map((l) => widthOf(l, size)), 20)) + 10;
    const right = 14, top = chart.rules ? 20 : 6, bottom = 40;
    const pitch = printing && chart.rows.length * chart.pitch > 300 ? chart.pitch * 0.75 : chart.pitch; // a picture fits a page beside others
    const height = chart.rows.length * pitch;
    const base = axisStyle(colour);
    const breaks = new Set(chart.breaks);
    const filled = (c) => (c === 'free' ? colour('free') : colour(c));
    const item = (params, api) => {
      const bar = chart.bars[params.dataIndex];
      const a = api.coord([bar.a, bar.r]), b = api.coord([bar.b, bar.r + bar.n - 1]);
      const row = api.size([0, 1])[1], gap = pitch > 20 ? 3 : 1;
      const y = a[1] - row / 2 + gap, h = b[1] - a[1] + row - 2 * gap;
      if (bar.c === 'limit') {
        return { type: 'rect', shape: { x: a[0] - 1.25, y: y - 2, width: 2.5, height: h + 4 }, style: { fill: colour('limit') }, z2: 5 };
      }
      const w = Math.max(b[0] - a[0], 0.75), inset = w > 4 ? 0.5 : 0;
      const children = [{ type: 'rect', shape: { x: a[0] + inset, y, width: w - 2 * inset, height: h, r: w > 6 ? 2 : 0 }, style: { fill: filled(bar.c), opacity: bar.f ? 0.62 : 1 } }];
      for (let i = 1; i < bar.n; i++) { // the rows of a tall bar stay apart
        const node = breaks.has(bar.r + i);
        children.push({ type: 'rect', silent: true, shape: { x: a[0], y: y - gap + i * row - (node ? 1 : 0.5), width: w, height: node ? 2 : 1 }, style: { fill: colour('paper'), opacity: node ? 1 : 0.5 } });
      }
      if (bar.t && h > 9) {
        const fits = bar.t.find((t) => widthOf(t, size) + 8 <= w);
        const middle = a[1] + Math.floor((bar.n - 1) / 2) * row; // the middle of a row, not a line between two
        if (fits) {
          children.push({ type: 'text', silent: true, style: { text: fits, x: a[0] + w / 2, y: middle, align: 'center', verticalAlign: 'middle', fontSize: size,
            fill: bar.c === 'free' ? colour('soft') : colour('on') } });
        } else if (chart.beside) {
          const plot = params.coordSys, after = plot.x + plot.width - b[0] - 6, before = a[0] - plot.x - 6;
          const space = Math.max(after, before), text = bar.t.find((t) => widthOf(t, size) <= space);
          if (text) {
            children.push({ type: 'text', silent: true, style: { text, x: after >= before ? b[0] + 5 : a[0] - 5, y: middle, align: after >= before ? 'left' : 'right',
              verticalAlign: 'middle', fontSize: size, fill: colour('ink') } });
          }
        }
      }
      return { type: 'group', children };
    };
    return {
      height: height + top + bottom,
      option: {
        animation: false, tooltip: tooltip(colour), grid: { left, right, top, bottom },
        xAxis: { type: 'value', min: 0, max: chart.exact ? chart.end : undefined, name: chart.axis, nameLocation: 'middle', nameGap: 24, minInterval: chart.whole ? 1 : 0, ...base,
          axisLabel: { ...base.axisLabel, formatter: number, showMaxLabel: chart.exact ? Boolean(chart.whole) : undefined, alignMaxLabel: chart.exact ? 'right' : undefined } },
        yAxis: { type: 'category', inverse: true, data: labels, ...base, splitLine: { show: false },
          axisLabel: { ...base.axisLabel, interval: 0, hideOverlap: false } },
        series: [{
          type: 'custom', renderItem: item, encode: { x: [0, 1], y: 2 }, data: chart.bars.map((b) => ({ value: [b.a, b.b, b.r], tip: b.h })),
          markLine: chart.rules && {
            silent: true, symbol: 'none', lineStyle: { color: colour('limit'), type: 'dashed', width: 1.25 },
            label: { color: colour('limit'), fontSize: 11, position: 'start', distance: 4, formatter: (p) => p.name },
            data: chart.rules.map((r) => ({ xAxis: r.a, name: r.t })),
          },
        }],
      },
    };
  }

  // Plans by latency and throughput.
  function scatter(chart, colour, width) {
    const base = axisStyle(colour);
    const sorts = { plan: ['diamond', 17, 'link'], rule: ['circle', 11, 'fair'], broken: ['circle', 11, 'fair'], if: ['triangle', 12, 'good'] };
    const ordered = [...chart.points].sort((p, q) => (p.s === 'plan') - (q.s === 'plan')); // the plan lies on top
    // An axis a little longer than the values on it, at round numbers; logarithmic where they
    // lie far apart.
    const range = (of) => {
      const values = chart.points.map(of), low = Math.min(...values), high = Math.max(...values);
      if (high > 12 * low && low > 0) {
        const a = low / 1.5, b = high * 1.5;
        return { axis: { type: 'log', min: a, max: b }, note: ', logarithmic', at: (v) => Math.log(v / a) / Math.log(b / a) };
      }
      const room = (high - low) * 0.18 || high * 0.2, step = 10 ** Math.floor(Math.log10(room || 1));
      const a = Math.max(0, Math.floor((low - room) / step) * step), b = Math.ceil((high + room) / step) * step;
      return { axis: { type: 'value', min: a, max: b }, note: '', at: (v) => (v - a) / (b - a) };
    };
    const grid = { left: 74, right: 24, top: 20, bottom: 44 };
    const height = Math.max(300, Math.min(440, width * 0.45));
    const x = range((p) => p.x), y = range((p) => p.y);
    const spots = ordered.map((p) => ({ p, x: grid.left + x.at(p.x) * (width - grid.left - grid.right), y: height - grid.bottom - y.at(p.y) * (height - grid.top - grid.bottom), names: [p.t] }));
    // Marks of one sort that nearly touch share a text, and those that cover each other; texts keep clear of each other and of marks.
    const size = 12, heads = [];
    for (const s of [...spots].reverse()) {
      const near = heads.find((h) => { const reach = h.p.s === s.p.s ? 10 : 2; return Math.abs(h.x - s.x) < reach && Math.abs(h.y - s.y) < reach; });
      if (near) near.names.push(s.p.t); else heads.push(s);
    }
    const taken = spots.map((s) => [s.x - 5, s.y - 5, s.x + 5, s.y + 5]);
    const clear = (b) => b[0] > 2 && b[2] < width - 2 && b[1] > 0 && b[3] < height - grid.bottom && !taken.some((t) => b[0] < t[2] && t[0] < b[2] && b[1] < t[3] && t[1] < b[3]);
    for (const h of heads) {
      const more = h.names.length - 3;
      h.text = cut(h.names.slice(0, 3).join(', ') + (more > 0 ? ' and ' + more + ' more' : ''), size, width * 0.6);
      const w = widthOf(h.text, size) + 4;
      const sides = { right: [h.x + 10, h.y - 8, h.x + 10 + w, h.y + 8], left: [h.x - 10 - w, h.y - 8, h.x - 10, h.y + 8],
        top: [h.x - w / 2, h.y - 26, h.x + w / 2, h.y - 9], bottom: [h.x - w / 2, h.y + 9, h.x + w / 2, h.y + 26] };
      h.side = Object.keys(sides).find((side) => clear(sides[side])) || (h.p.s === 'plan' && (h.x < width / 2 ? 'right' : 'left'));
      if (h.side) taken.push(sides[h.side]); // else the tip and the table name it
    }
    return {
      height,
      option: {
        animation: false, tooltip: tooltip(colour), grid,
        xAxis: { ...x.axis, name: chart.x + x.note, nameLocation: 'middle', nameGap: 26, ...base, axisLabel: { ...base.axisLabel, formatter: number } },
        yAxis: { ...y.axis, name: chart.y + y.note, nameLocation: 'middle', nameGap: 58, ...base, axisLabel: { ...base.axisLabel, formatter: number } },
        series: [{
          type: 'scatter',
          data: spots.map((s) => {
            const [symbol, symbolSize, name] = sorts[s.p.s], hollow = s.p.s === 'broken';
            return {
              value: [s.p.x, s.p.y], tip: s.p.h, symbol, symbolSize,
              itemStyle: { opacity: 1, color: hollow ? colour('paper') : colour(name), borderColor: hollow ? colour(name) : colour('paper'), borderWidth: hollow ? 2 : 1 },
              label: { show: Boolean(s.side), position: s.side || 'right', formatter: s.text || '', color: colour(name), fontSize: size, fontWeight: s.p.s === 'plan' ? 600 : 400 },
            };
          }),
        }],
      },
    };
  }

  const kinds = { bands, scatter };

  function draw(entry, forced) {
    const width = forced || entry.node.clientWidth;
    if (!width) return; // in a part that is not shown
    const { height, option } = kinds[entry.chart.kind](entry.chart, style(), width);
    entry.node.style.height = height + 'px';
    if (!entry.plot) entry.plot = echarts.init(entry.node, null, { renderer: 'svg', width, height });
    entry.plot.resize({ width, height });
    entry.plot.setOption(option, true);
    entry.width = width;
  }

  document.documentElement.classList.add('drawn');
  for (const [id, chart] of Object.entries(charts)) {
    const entry = { node: document.getElementById(id), chart };
    drawn.push(entry);
    draw(entry);
  }
  const redraw = (forced) => drawn.forEach((entry) => draw(entry, forced));
  // A place may change its width without the window: so each is watched.
  const watch = new ResizeObserver((changes) => {
    for (const change of changes) {
      const entry = drawn.find((e) => e.node === change.target);
      if (!printing && entry.width !== entry.node.clientWidth) requestAnimationFrame(() => draw(entry));
    }
    reach();
  });
  drawn.forEach((entry) => watch.observe(entry.node));
  addEventListener('resize', reach);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => redraw());

  // On paper: light colours, the width of the page, and nothing folded but the long lists.
  const paper = matchMedia('print');
  const opened = [];
  const toPaper = () => {
    if (printing) return;
    printing = true;
    for (const fold of document.querySelectorAll('figure details:not([open])')) {
      if (fold.querySelectorAll('tr').length <= 40) { fold.open = true; opened.push(fold); }
    }
    redraw(680);
  };
  const toScreen = () => {
    if (!printing) return;
    printing = false;
    while (opened.length) opened.pop().open = false;
    redraw();
  };
  paper.addEventListener('change', (e) => (e.matches ? toPaper() : toScreen()));
  addEventListener('beforeprint', toPaper);
  addEventListener('afterprint', toScreen);

  // A table wider than the page is scrolled by keyboard too.
  function reach() {
    for (const box of document.querySelectorAll('.scroll')) {
      const wide = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
      const set = (name, value) => (wide ? box.setAttribute(name, value) : box.removeAttribute(name));
      set('tabindex', '0');
      set('role', 'region');
      set('aria-label', box.dataset.name + (box.querySelector('table') ? ', table' : ', picture'));
    }
  }
  reach();
  document.addEventListener('toggle', reach, true);
})();
