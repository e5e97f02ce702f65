// SPDX-License-Identifier: MIT
// The plan of a site: assets are placed by dragging, by arrow keys, or by picking one and clicking its place. Escape
// takes the last move back.
import { ARROWS, KEYS_WAIT, asset, moves } from "./moves.js";

const STEP = 1, LEAP = 5, LEAST = 4;
let drag, dragged;

const plan = () => document.querySelector("[data-plan]");
const pin = id => plan()?.querySelector(`[data-pin="${id}"]`);
const bound = percent => Math.round(Math.min(100, Math.max(0, percent)) * 100) / 100;
const share = percent => Number((percent / 100).toFixed(4));

function named(target) {
	const found = plan() && target.closest?.("[data-pin], [data-pick]");
	return found ? found.dataset.pin ?? found.dataset.pick : null;
}

function read(id) {
	const { x, y } = asset(id);
	return x === "" ? null : { x: Number(x), y: Number(y) };
}

function draw(id, at) {
	const shown = pin(id)?.querySelector("svg");
	shown?.setAttribute("visibility", at ? "visible" : "hidden");
	shown?.setAttribute("x", `${at?.x ?? 0}%`);
	shown?.setAttribute("y", `${at?.y ?? 0}%`);
}

function mark(id) {
	const pick = document.querySelector(`[data-pick="${id}"]`);
	return pick === document.activeElement ? pick : pin(id);
}

const { place, move, takeBack, pick, picked } = moves({
	surface: plan, read, draw, mark, blanks: at => at,
	values: at => ({ plan_x: at && share(at.x), plan_y: at && share(at.y) }),
});

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
	} else if (picked() && event.target.closest?.("[data-plan]")) {
		const { x, y } = point(event);
		move(picked(), { x: bound(x), y: bound(y) });
		pick(null);
	}
}

function key(event) {
	const id = named(event.target), by = ARROWS[event.key], step = event.shiftKey ? LEAP : STEP;
	if (event.key === "Escape" && plan()) {
		if (drag)
			drop(true);
		else if (picked())
			pick(null);
		else if (id !== null)
			takeBack(id);
	} else if (id !== null && by && !event.ctrlKey && !event.altKey && !event.metaKey) {
		const { x, y } = place(id) ?? { x: 50, y: 50 };
		event.preventDefault();
		move(id, { x: bound(x + by[0] * step), y: bound(y + by[1] * step) }, KEYS_WAIT);
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
