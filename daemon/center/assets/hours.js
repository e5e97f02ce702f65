// SPDX-License-Identifier: MIT
// The week grid: a day copied to those below, and its bar drawn as one types.
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

export function hours() {
	const form = document.querySelector("form[data-hours]");
	form?.addEventListener("input", event => draw(event.target.closest("tr")));
	form?.addEventListener("click", event => {
		if (!event.target.closest("[name=copy]"))
			return;
		event.preventDefault();
		copy(event.target.closest("tr"));
	});
}
