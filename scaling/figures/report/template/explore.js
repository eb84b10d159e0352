'use strict';
// The interactive figure: the runs under each counting convention, with its precomputed fit.
(() => {
  const d = report;
  const everything = d.L.map((loss, i) => i).filter((i) => d.L[i] !== null);
  const [countsN, countsC] = [Object.keys(d.N), Object.keys(d.C)];
  if (everything.length < 2 || !countsN.length || !countsC.length) return;
  const $ = (id) => document.getElementById(id);
  const section = $('explore');
  section.hidden = false;

  const space = '\u202f';
  const digits = (v, n = 3) => (v === 0 ? '0' : String(Number(v.toPrecision(n))).replace('-', '−'));
  const scaled = (v, units) => {
    const [factor, unit] = units.find(([f]) => Number((v / f).toPrecision(3)) >= 1) ?? units[units.length - 1];
    return digits(v / factor) + (unit ? space + unit : '');
  };
  const count = (v) => scaled(v, [[1e12, 'T'], [1e9, 'B'], [1e6, 'M'], [1e3, 'k'], [1, '']]);
  const flops = (v) => scaled(v, [[1e24, 'YFLOP'], [1e21, 'ZFLOP'], [1e18, 'EFLOP'], [1e15, 'PFLOP'], [1e12, 'TFLOP'], [1e9, 'GFLOP'], [1e6, 'MFLOP'], [1e3, 'kFLOP'], [1, 'FLOP']]);
  const raised = (v) => v.toFixed(2).replace(/./g, (c) => ({ '.': '·', '-': '⁻' })[c] ?? '⁰¹²³⁴⁵⁶⁷⁸⁹'[c]);
  const span = (v) => (v && v.every((x) => x !== null) ? ` [${v.map((x) => x.toFixed(2)).join(', ')}]`.replaceAll('-', '−') : '');
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const shapes = ['circle', 'rect', 'triangle', 'rectRounded', 'star', 'cross', 'crossRot'];

  const fill = (select, words) => {
    for (const [key, text] of Object.entries(words)) select.add(new Option(text, key));
  };
  fill($('count-n'), d.words.N);
  fill($('count-c'), d.words.C);
  if (!d.curves.length) $('view').querySelector('[value=curves]').remove();
  // Show one kind of runs at a time with its own fits; all kinds together have no fit.
  let points = everything;
  const fitOf = (c, n) => d.fits[d.kinds.length ? $('kind').value : '']?.[c]?.[n];
  if (d.kinds.length) {
    $('kinds').hidden = false;
    for (const name of d.kinds) $('kind').add(new Option(name, name));
    $('kind').add(new Option(`all ${d.kinds.length} kinds`, ''));
    $('kind').value = d.kinds.find((name) => Object.keys(d.fits[name] ?? {}).length) ?? '';
  }
  const choose = () => {
    const k = d.kinds.indexOf($('kind').value);
    points = k < 0 ? everything : everything.filter((i) => d.kind[i] === k);
  };
  const together = () => d.kinds.length > 0 && $('kind').value === '';
  // Losses of several vocabularies are comparable only per byte.
  const losses = () => (together() && d.bits.length ? ['loss (bits per byte)', d.bits] : [`loss L (${d.unit})`, d.L]);
  const budgetOf = (i) => (d.budget[i] === null ? 0 : d.budget[i]);
  const tint = (k, n) => colour(d.ramp[n > 1 ? Math.round((k / (n - 1)) * (d.ramp.length - 1)) : 0]);
  const dot = everything.length > 800 ? 2 : everything.length > 200 ? 3 : 4.5;

  // ---- data sets of {x, y, row} of each view
  const inkOf = (k) => (together() ? colour(d.cycle[k % d.cycle.length]) : tint(k, d.budgets.length));
  // Stars and crosses consist of strokes, so they need the data colour to be visible.
  const edge = (k) => (/star|cross/.test(shapes[k % shapes.length]) ? { borderColor: inkOf(k), borderWidth: 1.6 } : { borderColor: colour('--background'), borderWidth: dot > 3 ? 0.8 : 0 });
  // Sorted by x, because the chart takes the first and last point as the ends of its axis.
  const runs = (x, y) => (together() ? d.kinds : d.budgets).map((name, k) => ({
    isRun: true, showLine: false, pointRadius: dot, pointHoverRadius: dot + 3, pointHitRadius: 6,
    pointStyle: shapes[k % shapes.length], backgroundColor: inkOf(k), ...edge(k),
    data: points.filter((i) => (together() ? d.kind[i] : budgetOf(i)) === k && x[i] > 0).map((i) => ({ x: x[i], y: y[i], row: i })).sort((p, q) => p.x - q.x),
  })).filter((set) => set.data.length);
  const line = (data, stroke, extra = {}) => ({ showLine: true, pointRadius: 0, pointHitRadius: 0, borderWidth: 1.6, borderColor: stroke, data, ...extra });
  const grid = (a, b, n) => Array.from({ length: n }, (_, i) => Math.exp(Math.log(a) + ((Math.log(b) - Math.log(a)) * i) / (n - 1)));
  const nearest = (C) => d.budgets.reduce((best, v, k) => (Math.abs(Math.log(v / C)) < Math.abs(Math.log(d.budgets[best] / C)) ? k : best), 0);

  const views = {
    isoflop(N, C, fit) {
      const sets = runs(N, losses()[1]);
      (fit?.budgets ?? []).forEach((b, at) => {
        const k = fit.budgets.length === d.budgets.length ? at : nearest(b.C);
        const sizes = points.filter((i) => budgetOf(i) === k).map((i) => N[i]).filter((n) => n > 0);
        const [c0, c1, c2] = b.coefficients ?? [];
        if (!sizes.length || c2 == null) return;
        const loss = (n) => c0 + c1 * Math.log(n) + c2 * Math.log(n) ** 2;
        const fine = b.inside && b.opens_upwards;
        sets.push(line(grid(Math.min(...sizes), Math.max(...sizes), 60).map((n) => ({ x: n, y: loss(n) })), tint(k, d.budgets.length), { borderDash: fine ? [] : [5, 4], tag: flops(b.C) }));
        if (fine) sets.push({ isBest: b, showLine: false, pointStyle: 'rectRot', pointRadius: 7, pointHitRadius: 6, backgroundColor: tint(k, d.budgets.length), borderColor: colour('--ink'), borderWidth: 1.2, data: [{ x: b.N_opt, y: loss(b.N_opt) }] });
      });
      return { sets, x: ['parameters N', count, 'logarithmic'], y: [losses()[0], digits, 'linear'] };
    },
    optimum(N, C, fit) {
      const good = (fit?.budgets ?? []).filter((b) => b.N_opt && b.opens_upwards);
      const sets = good.map((b) => ({ isBest: b, showLine: false, pointStyle: 'rectRot', pointRadius: 7, pointHitRadius: 8, backgroundColor: b.inside ? colour('--link') : colour('--background'), borderColor: colour('--link'), borderWidth: 1.4, data: [{ x: b.C, y: b.N_opt }] }));
      good.filter((b) => b.N_interval).forEach((b) => sets.push(line(b.N_interval.map((n) => ({ x: b.C, y: n })), colour('--link'))));
      if (good.length > 1 && fit.a) {
        const law = (c) => fit.N_coefficient * c ** fit.a.value;
        const [low, high] = [good[0].C, good[good.length - 1].C];
        sets.push(line(grid(low, high, 20).map((c) => ({ x: c, y: law(c) })), colour('--link'), { borderWidth: 2 }));
        sets.push(line(grid(high, high * 10, 20).map((c) => ({ x: c, y: law(c) })), colour('--link'), { borderDash: [6, 4] }));
      }
      return { sets, x: ['training compute C', flops, 'logarithmic'], y: ['best size N*', count, 'logarithmic'] };
    },
    compute: (N, C) => ({ sets: runs(C, losses()[1]), x: ['training compute C', flops, 'logarithmic'], y: [losses()[0], digits, 'logarithmic'] }),
    curves: (N) => {
      const logs = points.map((i) => Math.log(N[i]));
      const [low, high] = [Math.min(...logs), Math.max(...logs)];
      const shown = new Set(points);
      const sets = d.curves.filter((c) => shown.has(c.row)).map((c) => line(c.x.map((x, i) => ({ x, y: c.y[i], row: c.row })), tint(Math.round((23 * (Math.log(N[c.row]) - low)) / (high - low || 1)), 24), { isRun: true, borderWidth: 1.1, pointHitRadius: 4 }));
      return { sets, x: ['training compute C of the ledger', flops, 'logarithmic'], y: [`loss L (${d.curve_unit})`, digits, 'logarithmic'] };
    },
  };

  // ---- words
  const about = (i) => [...(d.kinds.length ? [d.kinds[d.kind[i]]] : []), `N ${count(d.N[$('count-n').value][i])} · D ${count(d.D[i])} · C ${flops(d.C[$('count-c').value][i])}`, `${losses()[0]} ${losses()[1][i].toFixed(4)}${d.seed.length ? ` · seed ${d.seed[i]}` : ''}`];
  const aboutBest = (b) => [`best of ${flops(b.C)}: N* ${count(b.N_opt)}${b.N_interval ? ` [${b.N_interval.map(count).join(', ')}]` : ''}`, `D* ${count(b.D_opt)} · loss ${b.loss_min.toFixed(4)} · ${b.n} runs`];
  const hint = $('hint').textContent;

  const axis = ([title, say, type]) => ({
    type,
    title: { display: true, text: title, color: colour('--muted') },
    border: { color: colour('--muted') },
    grid: { color: colour('--faint'), drawTicks: false },
    ticks: { color: colour('--muted'), callback: (v) => say(v), maxRotation: 0, padding: 6, autoSkipPadding: 18 },
    afterBuildTicks: (scale) => {
      if (type !== 'logarithmic') return;
      const lead = Math.log10(scale.max / scale.min) > 5 ? [1] : Math.log10(scale.max / scale.min) > 2.5 ? [1, 3] : [1, 1.5, 2, 3, 5, 7];
      const found = [];
      for (let e = Math.floor(Math.log10(scale.min)); e <= Math.ceil(Math.log10(scale.max)); e += 1) {
        lead.forEach((l) => found.push(l * 10 ** e));
      }
      const inside = found.filter((v) => v >= scale.min && v <= scale.max);
      if (inside.length > 1) scale.ticks = inside.map((value) => ({ value }));
    },
  });

  const tags = {
    id: 'tags',
    afterDatasetsDraw(on) {
      const pen = on.ctx;
      pen.save();
      pen.font = '600 12px ' + Chart.defaults.font.family;
      pen.textBaseline = 'middle';
      on.data.datasets.forEach((set, i) => {
        const last = set.tag && on.getDatasetMeta(i).data.at(-1);
        if (!last || last.y < on.chartArea.top || last.y > on.chartArea.bottom || last.x > on.chartArea.right) return;
        const wide = pen.measureText(set.tag).width;
        pen.fillStyle = set.borderColor;
        pen.fillText(set.tag, Math.min(last.x + 10, on.width - wide - 2), last.y);
      });
      pen.restore();
    },
  };

  // ---- drawing
  let chart = null;
  let walk = -1;
  const draw = () => {
    const [n, c] = [$('count-n').value, $('count-c').value];
    choose();
    const fit = fitOf(c, n);
    const shown = views[$('view').value](d.N[n], d.C[c], fit);
    $('follows').textContent = fit?.a
      ? `${d.kinds.length ? `${$('kind').value}: w` : 'W'}ith this counting, N* grows as C${raised(fit.a.value)}${span(fit.a.interval)} and D* as C${raised(fit.b.value)}${span(fit.b.interval)}.`
      : together() ? 'All kinds together have no fit: choose one kind.' : 'With this counting fewer than two budgets have a minimum, so there is no exponent.';
    chart?.destroy();
    walk = -1;
    Chart.defaults.font.family = "'Scaling Sans', Inter, 'Helvetica Neue', Arial, sans-serif";
    Chart.defaults.font.size = 13;
    chart = new Chart($('chart'), {
      type: 'scatter',
      data: { datasets: shown.sets },
      plugins: [tags],
      options: {
        animation: false, parsing: false, normalized: true, responsive: true, maintainAspectRatio: false, clip: 8, layout: { padding: { right: $('view').value === 'isoflop' ? 72 : 8 } },
        interaction: { mode: 'nearest', intersect: true, axis: 'xy' },
        scales: { x: axis(shown.x), y: axis(shown.y) },
        onClick: (_, hit) => {
          const at = hit.map((h) => chart.data.datasets[h.datasetIndex].data[h.index].row).find((row) => row !== undefined);
          if (at !== undefined) d.open(at);
        },
        onHover: (event, hit) => {
          event.native.target.style.cursor = hit.length ? 'pointer' : 'crosshair';
        },
        plugins: {
          legend: { display: false },
          tooltip: {
            displayColors: false, padding: 10, titleFont: { weight: 600 },
            filter: (item, i) => i < 1,
            callbacks: {
              title: ([item]) => (item?.raw.row === undefined ? '' : `run ${d.id[item.raw.row].slice(0, 8)}`),
              label: (item) => (item.raw.row === undefined ? (item.dataset.isBest ? aboutBest(item.dataset.isBest) : '') : about(item.raw.row)),
            },
          },
          zoom: { zoom: { drag: { enabled: true, backgroundColor: 'rgba(0, 114, 178, 0.15)' }, wheel: { enabled: false }, mode: 'xy' } },
        },
      },
    });
    $('chart').setAttribute('aria-label', `Interactive figure: ${$('view').selectedOptions[0].textContent}; ${$('follows').textContent} The table of runs has the same numbers.`);
  };

  const order = () => chart.data.datasets.flatMap((set, datasetIndex) => (set.isRun && !set.showLine ? set.data.map((p, index) => ({ datasetIndex, index, row: p.row, x: p.x })) : [])).sort((a, b) => a.x - b.x);
  $('chart').addEventListener('keydown', (event) => {
    const all = order();
    if (!all.length) return;
    if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      walk = (walk + (event.key === 'ArrowRight' ? 1 : -1) + all.length) % all.length;
      chart.setActiveElements([all[walk]]);
      chart.tooltip.setActiveElements([all[walk]], { x: 0, y: 0 });
      chart.update('none');
      $('hint').textContent = `run ${d.id[all[walk].row].slice(0, 8)}: ${about(all[walk].row).join(' · ')}`;
      event.preventDefault();
    } else if (event.key === 'Enter' && walk >= 0) {
      d.open(all[walk].row);
      event.preventDefault();
    } else if (event.key === 'Escape') {
      $('hint').textContent = hint;
      chart.resetZoom('none');
    }
  });
  for (const id of ['view', 'kind', 'count-n', 'count-c']) $(id).addEventListener('change', draw);
  $('zoom-in').addEventListener('click', () => chart.zoom(1.4, 'none'));
  $('zoom-out').addEventListener('click', () => chart.zoom(1 / 1.4, 'none'));
  $('zoom-reset').addEventListener('click', () => chart.resetZoom('none'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  document.fonts.ready.then(draw);
  report.chart = () => chart;
})();
