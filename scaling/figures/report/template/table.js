'use strict';
// The table of runs: sort by any heading, filter by words. Numbers sort by value, not by their text.
// Only the first rows are laid out, the others on demand, because a browser takes seconds for 5 000 rows.
const report = JSON.parse(document.getElementById('data').textContent);
(() => {
  const unpack = (text) => (text === '' ? [] : text.split(' ').map((v) => (v === '-' ? null : Number(v))));
  for (const key of ['seed', 'D', 'L', 'bits', 'budget', 'kind']) report[key] = unpack(report[key]);
  for (const key of Object.keys(report.N)) report.N[key] = unpack(report.N[key]);
  for (const [key, text] of Object.entries(report.C)) {
    report.C[key] = text.startsWith('@') ? report.N[text.slice(1)].map((n, i) => 6 * n * report.D[i]) : unpack(text);
  }
  const table = document.getElementById('all-runs');
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...body.rows];
  const keys = report.sort.map((sort, i) => {
    if (sort === null) return rows.map((row) => row.cells[i].textContent);
    if (sort === '#') return rows.map((row) => (row.cells[i].textContent === '–' ? null : Number(row.cells[i].textContent)));
    if (sort === '@ratio') return report.D.map((tokens, row) => (tokens === null ? null : tokens / report.N.all[row]));
    return sort.startsWith('@') ? sort.slice(1).split('.').reduce((at, name) => at[name], report) : unpack(sort);
  });
  const AT_ONCE = 500;
  let order = rows.map((_, row) => row);
  let most = AT_ONCE;
  const empty = (k) => k === null || k === '' || k === '–';
  heads.forEach((head, i) => {
    head.querySelector('button').addEventListener('click', () => {
      const up = head.getAttribute('aria-sort') !== 'ascending';
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      order = rows.map((_, row) => row).sort((p, q) => {
        const [a, b] = [keys[i][p], keys[i][q]];
        if (empty(a) || empty(b)) return empty(a) - empty(b) || p - q;
        const way = typeof a === 'number' ? a - b : a.localeCompare(b, 'en', { numeric: true });
        return (up ? way : -way) || p - q;
      });
      show();
      body.append(...order.map((row) => rows[row]));
    });
  });
  const filter = document.getElementById('filter');
  const count = document.getElementById('count');
  const everything = document.getElementById('everything');
  const texts = rows.map((row) => `${row.textContent} ${row.id}`.toLowerCase());
  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let seen = 0;
    for (const i of order) {
      const found = words.every((word) => texts[i].includes(word));
      seen += found;
      rows[i].hidden = !found || seen > most;
    }
    count.textContent = `${seen} of ${rows.length} runs${seen > most ? `, the first ${most} shown` : ''}`;
    everything.hidden = seen <= most;
  };
  filter.addEventListener('input', show);
  everything.addEventListener('click', () => {
    most = rows.length;
    show();
  });
  report.id = rows.map((row) => row.id.slice('run-'.length));
  report.open = (i) => {
    if (rows[i].hidden) {
      filter.value = '';
      show();
      rows[i].hidden = false;
    }
    rows.forEach((row) => row.removeAttribute('tabindex'));
    rows[i].tabIndex = -1;
    rows[i].scrollIntoView({ block: 'center' });
    rows[i].focus({ preventScroll: true });
  };
  show();
})();
