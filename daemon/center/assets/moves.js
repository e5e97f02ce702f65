// SPDX-License-Identifier: MIT
// Assets that are moved over a plan or a map: each move is saved by itself, against what was seen, one at a time, and
// the last one can be taken back. One may be picked, to click its place.
import { change, fill, patch, refresh, say, words } from "./page.js";

export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
export const KEYS_WAIT = 600;

export const asset = id => document.getElementById(`asset-${id}`)?.dataset;

// `surface()` is the element with the words, `read(id)` the place that the page has, `values(at)` the fields of a
// place (null: nowhere), `blanks(at)` what is said of it, `draw(id, at)` shows it, `mark(id)` is what has the focus.
export function moves({ surface, read, values, blanks, draw, mark }) {
	const wanted = new Map(); // by asset: where it is to be, not saved yet
	let picked = null, before, waiting, saving;

	const place = id => wanted.has(id) ? wanted.get(id) : read(id);

	async function save(id, at) {
		const { called, version } = asset(id), { moved, cleared, conflict } = surface().dataset;
		const focused = mark(id)?.contains(document.activeElement);
		let text = words.unsaved;
		try {
			const answer = await patch(`/api/v1/assets/${id}`, version, values(at));
			text = answer.ok ? fill(at ? moved : cleared, { what: called, ...(at && blanks(at)) })
				: answer.status === 409 ? conflict : words.failed;
			await refresh({ force: true });
		} catch {
			draw(id, place(id));
		}
		if (focused)
			(mark(id) ?? document.querySelector(`[data-pick="${id}"]`))?.focus();
		say(text);
	}

	// What is moved meanwhile is drawn again and goes next.
	async function flush() {
		clearTimeout(waiting);
		if (saving)
			return;
		saving = true;
		while (wanted.size && surface()) {
			const [id, at] = wanted.entries().next().value;
			wanted.delete(id);
			if (asset(id))
				await change(() => save(id, at));
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
			say(fill(surface().dataset.picked, { what: asset(id).called }));
	}

	return { place, move, takeBack, pick, picked: () => picked };
}
