// SPDX-License-Identifier: MIT
// The plan of a site: assets are placed by dragging, by arrow keys, or by picking one and clicking its place; each move
// is saved by itself, against what was seen. Escape takes the last one back.
import { fill, refresh, say, words } from "./page.js";

const STEP = 1, LEAP = 5, WAIT = 600, LEAST = 4;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const wanted = new Map(); // by asset: where it is to be, not saved yet; null: nowhere
let picked, drag, dragged, before, waiting, saving;

const plan = () => document.querySelector("[data-plan]");
const asset = id => document.getElementById(`asset-${id}`)?.dataset;
const pin = id => plan()?.querySelector(`[data-pin="${id}"]`);
const bound = percent => Math.round(Math.min(100, Math.max(0, percent)) * 100) / 100;
const share = percent => Number((percent / 100).toFixed(4));

function named(target) {
	const found = plan() && target.closest?.("[data-pin], [data-pick]");
	return found ? found.dataset.pin ?? found.dataset.pick : null;
}

function place(id) {
	const { x, y } = asset(id);
	return wanted.has(id) ? wanted.get(id) : x === "" ? null : { x: Number(x), y: Number(y) };
}

function draw(id, at) {
	const shown = pin(id)?.querySelector("svg");
	shown?.setAttribute("visibility", at ? "visible" : "hidden");
	shown?.setAttribute("x", `${at?.x ?? 0}%`);
	shown?.setAttribute("y", `${at?.y ?? 0}%`);
}

async function save(id, at) {
	const { called, version } = asset(id), { moved, cleared, conflict } = plan().dataset;
	const focused = named(document.activeElement) === id;
	const body = JSON.stringify({ plan_x: at && share(at.x), plan_y: at && share(at.y) });
	let text = words.unsaved;
	try {
		const answer = await fetch(`/api/v1/assets/${id}`,
			{ method: "PATCH", headers: { "Content-Type": "application/json", "If-Match": version }, body });
		text = answer.ok ? fill(at ? moved : cleared, { what: called, ...at }) : answer.status === 409 ? conflict : words.failed;
		await refresh({ force: true });
	} catch {
		draw(id, place(id));
	}
	if (focused)
		(pin(id) ?? document.querySelector(`[data-pick="${id}"]`))?.focus();
	say(text);
}

// One at a time: what is moved meanwhile is drawn again and goes next.
async function flush() {
	clearTimeout(waiting);
	if (saving)
		return;
	saving = true;
	while (wanted.size && plan()) {
		const [id, at] = wanted.entries().next().value;
		wanted.delete(id);
		if (asset(id))
			await save(id, at);
		for (const [other, there] of wanted)
			draw(other, there);
	}
	saving = false;
}

function move(id, at, wait = 0) {
	if (!wanted.has(id))
		before = { id, at: place(id) };
	wanted.set(id, at);
	draw(id, at);
	clearTimeout(waiting);
	waiting = setTimeout(flush, wait);
}

function takeBack(id) {
	if (before?.id !== id)
		return;
	move(id, before.at);
	before = null;
}

function pick(id) {
	picked = id;
	document.body.classList.toggle("picking", Boolean(id));
	if (id)
		say(fill(plan().dataset.picked, { what: asset(id).called }));
}

function point(event) {
	const box = plan().getBoundingClientRect();
	return { x: (event.clientX - box.left) / box.width * 100, y: (event.clientY - box.top) / box.height * 100 };
}

function down(event) {
	const id = event.button === 0 && event.target.closest?.("[data-pin]") ? named(event.target) : null;
	if (id === null)
		return;
	pin(id).focus();
	drag = { id, from: place(id), start: point(event), left: event.clientX, top: event.clientY };
}

function dragging(event) {
	if (!drag || (!drag.to && Math.hypot(event.clientX - drag.left, event.clientY - drag.top) < LEAST))
		return;
	const { x, y } = point(event);
	drag.to = { x: bound(drag.from.x + x - drag.start.x), y: bound(drag.from.y + y - drag.start.y) };
	draw(drag.id, drag.to);
}

function drop(cancelled) {
	const { id, from, to } = drag ?? {};
	drag = null;
	if (!to)
		return;
	dragged = !cancelled;
	setTimeout(() => { dragged = false; });
	if (cancelled)
		draw(id, from);
	else
		move(id, to);
}

function click(event) {
	const id = named(event.target);
	if (id !== null) {
		event.preventDefault();
		if (!dragged)
			pick(id);
	} else if (picked && event.target.closest?.("[data-plan]")) {
		const { x, y } = point(event);
		move(picked, { x: bound(x), y: bound(y) });
		pick(null);
	}
}

function key(event) {
	const id = named(event.target), by = ARROWS[event.key], step = event.shiftKey ? LEAP : STEP;
	if (event.key === "Escape" && plan()) {
		if (drag)
			drop(true);
		else if (picked)
			pick(null);
		else if (id !== null)
			takeBack(id);
	} else if (id !== null && by && !event.ctrlKey && !event.altKey && !event.metaKey) {
		const { x, y } = place(id) ?? { x: 50, y: 50 };
		event.preventDefault();
		move(id, { x: bound(x + by[0] * step), y: bound(y + by[1] * step) }, WAIT);
	}
}

export function plot() {
	document.addEventListener("pointerdown", down);
	document.addEventListener("pointermove", dragging);
	document.addEventListener("pointerup", () => drop(false));
	document.addEventListener("pointercancel", () => drop(true));
	document.addEventListener("dragstart", event => named(event.target) !== null && event.preventDefault());
	document.addEventListener("click", click);
	document.addEventListener("keydown", key);
}
