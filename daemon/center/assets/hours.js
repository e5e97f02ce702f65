// SPDX-License-Identifier: MIT
// The week grid: a day copied to those below, and its bar drawn as one types.
import { lineOf } from "./command.js";

const SVG = "http://www.w3.org/2000/svg", DAY = 24 * 60;

const minutes = text => text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);

function draw(row) {
	const bar = row.querySelector("svg");
	bar.querySelectorAll(".open").forEach(old => old.remove());
	for (const [, from, to] of row.querySelector("input").value.matchAll(/(\d+:\d\d)\s*-\s*(\d+:\d\d)/g)) {
		const open = minutes(from), close = minutes(to);
		const rect = document.createElementNS(SVG, "rect");
		rect.setAttribute("class", "open");
		rect.setAttribute("x", open);
		rect.setAttribute("width", Math.max(0, (close > open ? Math.min(close, DAY) : DAY) - open));
		rect.setAttribute("height", 14);
		bar.append(rect);
	}
}

function copy(row) {
	const { value } = row.querySelector("input");
	for (let next = row.nextElementSibling; next; next = next.nextElementSibling) {
		next.querySelector("input").value = value;
		draw(next);
	}
}

// The days that were changed, as commands: a line for those with the same windows. As it was where none is.
function say(form) {
	const { week, closed } = form.parentElement.querySelector("[data-week]").dataset, days = new Map();
	const fold = form.parentElement.querySelector("[data-week] details");
	for (const { id, value, nextElementSibling: was } of form.querySelectorAll("tr input[id]")) {
		const text = value.trim(), windows = text.toLowerCase() === closed.toLowerCase() ? "closed" : text;
		if (windows !== was.value)
			days.set(windows || "closed", [...(days.get(windows || "closed") ?? []), id]);
	}
	fold.shown = fold.shown ?? [...fold.querySelectorAll("code")];
	fold.querySelectorAll("code").forEach(old => old.remove());
	for (const [windows, names] of days) {
		const code = document.createElement("code");
		code.textContent = lineOf(["hours", "set", week, names.join(","), windows], []);
		fold.append(code);
	}
	if (days.size === 0)
		fold.append(...fold.shown);
}

export function hours() {
	const form = document.querySelector("form[data-hours]");
	form?.addEventListener("input", event => {
		draw(event.target.closest("tr"));
		say(form);
	});
	form?.addEventListener("click", event => {
		if (!event.target.closest("[name=copy]"))
			return;
		event.preventDefault();
		copy(event.target.closest("tr"));
		say(form);
	});
}
