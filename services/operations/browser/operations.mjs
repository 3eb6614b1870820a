// What the operations pages do in the browser: draw their charts, and every 15 seconds replace what has changed. Without it they
// show the same, until they are loaded again.

import uPlot from './uPlot.esm.js';

const PARTS = '[data-fresh]';
const COLOURS = 4; // --series-1 and on; after them the lines are dashed
const HEIGHT = 180;
const WHOLE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000];

// What each part was made of, before a chart was drawn in it.
const written = new Map([...document.querySelectorAll(PARTS)].map((part) => [part.id, part.innerHTML]));

drawCharts(document);
const status = document.querySelector('[data-updates]');
if (status) keepFresh(Number(status.dataset.updates) * 1_000);

/** Asks for the page again and again, as long as somebody can see it and has not asked it to stop. */
function keepFresh(everyMs) {
  const button = status.querySelector('[data-pause]');
  let isPaused = false;
  let isAsking = false;
  button.hidden = false;
  button.addEventListener('click', () => {
    isPaused = !isPaused;
    button.textContent = isPaused ? button.dataset.goOn : button.dataset.pause;
    void refresh();
  });
  setInterval(refresh, everyMs);
  document.addEventListener('visibilitychange', refresh);

  async function refresh() {
    if (isPaused || isAsking || document.hidden) return;
    isAsking = true;
    try {
      // As a script, not as a person who opens a page: who is signed out gets an error then, and not a form.
      const answer = await fetch(location.href, { headers: { accept: '*/*' } });
      if (!answer.ok) throw new Error(String(answer.status));
      replaceParts(new DOMParser().parseFromString(await answer.text(), 'text/html'));
    } catch {
      document.getElementById('updated').textContent = status.dataset.signedOut;
    } finally {
      isAsking = false;
    }
  }
}

/** Only what differs, so that what somebody reads or has selected stays. */
function replaceParts(page) {
  for (const part of document.querySelectorAll(PARTS)) {
    const fresh = page.getElementById(part.id);
    if (!fresh || fresh.innerHTML === written.get(part.id)) continue;
    written.set(part.id, fresh.innerHTML);
    const focused = part.contains(document.activeElement) ? document.activeElement : undefined;
    const at = focused && focusable(part).indexOf(focused);
    const open = [...part.querySelectorAll('details[open]')].map(({ id }) => id);
    const scrolled = [...part.querySelectorAll('.scroll')].map(({ scrollLeft }) => scrollLeft);
    part.replaceChildren(...fresh.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute('open', '');
    for (const [index, box] of part.querySelectorAll('.scroll').entries()) box.scrollLeft = scrolled[index] ?? 0;
    if (focused) {
      // The same thing, else what is in its place now, else the part itself: never the top of the page.
      const next = (focused.id && document.getElementById(focused.id)) || focusable(part)[at] || part;
      next.focus({ preventScroll: true });
    }
    drawCharts(part);
  }
}

function focusable(part) {
  return [...part.querySelectorAll('a, button, summary, [tabindex]')];
}

/** Draws the charts in a part of the page, in the colours of the style sheet, as wide as there is room. */
function drawCharts(part) {
  for (const place of part.querySelectorAll('[data-chart]')) {
    const { times, series } = JSON.parse(place.dataset.chart);
    const style = getComputedStyle(place);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour('--text'), grid: { stroke: colour('--line') }, ticks: { stroke: colour('--line') } };
    const font = `12px ${style.fontFamily}`;
    const language = document.documentElement.lang === 'da' ? 'da-DK' : 'en-GB';
    const date = new Intl.DateTimeFormat(language, { timeZone: 'Europe/Copenhagen', day: 'numeric', month: 'numeric' });
    const time = new Intl.DateTimeFormat(language, {
      timeZone: 'Europe/Copenhagen',
      hour: '2-digit',
      minute: '2-digit',
    });
    const spansDays = times.at(-1) - times[0] > 2 * 24 * 60 * 60;
    const areCounts = series.every(({ values }) => values.every((value) => value === null || Number.isInteger(value)));
    const options = {
      width: Math.max(200, place.clientWidth),
      height: HEIGHT,
      cursor: { show: false },
      legend: {
        show: series.length > 1,
        live: false,
        markers: { dash: (_chart, at) => (at > COLOURS ? 'dashed' : 'solid') },
      },
      scales: { y: { range: (_chart, _low, high) => [0, areCounts ? Math.max(1, high ?? 1) : high || 1] } },
      axes: [
        { ...axis, font, values: (_chart, at) => at.map((each) => (spansDays ? date : time).format(each * 1_000)) },
        { ...axis, font, size: 60, ...(areCounts && { incrs: WHOLE_STEPS }) },
      ],
      series: [
        {},
        ...series.map(({ label, values }, at) => ({
          label,
          stroke: colour(`--series-${(at % COLOURS) + 1}`),
          width: 2,
          dash: at < COLOURS ? undefined : [6, 4],
          points: { size: 5, filter: () => pointsOf(values) },
        })),
      ],
    };
    place.replaceChildren();
    const chart = new uPlot(options, [times, ...series.map(({ values }) => values)], place);
    new ResizeObserver(() => {
      const width = Math.max(200, place.clientWidth);
      if (place.isConnected && width !== chart.width) chart.setSize({ width, height: HEIGHT });
    }).observe(place);
  }
}

/** Where a line needs a point to be seen: everywhere where there are few, else where it has no neighbours. */
function pointsOf(values) {
  const isThere = (at) => values[at] !== null && values[at] !== undefined;
  const needsOne = (at) => isThere(at) && (values.length < 40 || !(isThere(at - 1) || isThere(at + 1)));
  return values.map((_, at) => at).filter(needsOne);
}

// In the colours of the other scheme, and on paper those of paper.
for (const query of ['(prefers-color-scheme: dark)', 'print']) {
  matchMedia(query).addEventListener('change', () => drawCharts(document));
}
