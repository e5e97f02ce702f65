// SPDX-License-Identifier: MIT
// A real map of a site, in the place of the plain plot: assets are moved by dragging, by arrow keys, or by picking one
// and clicking its place. Escape takes the last move back.
import { ARROWS, KEYS_WAIT, asset, moves } from "./moves.js";

const STEP = 4, LEAP = 40, NEAR = 18; // pixels; the zoom for a single asset
const marks = new Map();
let leaflet, chart, held; // held: the one that is being dragged

const box = () => document.querySelector("[data-tiles]");
const assets = () => [...document.querySelectorAll("#plot [data-asset]")].map(row => row.dataset);
const spot = row => row.latitude !== "" && row.longitude !== ""
	? leaflet.latLng(Number(row.latitude), Number(row.longitude)) : null;
const degrees = number => Number(number.toFixed(6));
const fields = at => ({ latitude: at && degrees(at.lat), longitude: at && degrees(at.lng) });

function draw(id, at) {
	if (id === held)
		return;
	if (!at) {
		marks.get(id)?.remove();
		marks.delete(id);
		return;
	}
	if (!marks.has(id))
		marks.set(id, mark(asset(id), at));
	marks.get(id).setLatLng(at);
}

const { place, move, takeBack, pick, picked } = moves({
	surface: box, draw, read: id => spot(asset(id)), values: fields, blanks: fields,
	mark: id => marks.get(id)?.getElement(),
});

function key(id, event) {
	const by = ARROWS[event.key], step = event.shiftKey ? LEAP : STEP;
	if (event.key === "Escape") {
		if (picked())
			pick(null);
		else
			takeBack(id);
	} else if (by && !event.ctrlKey && !event.altKey && !event.metaKey) {
		const at = chart.project(place(id)).add([by[0] * step, by[1] * step]);
		event.preventDefault();
		event.stopPropagation();
		move(id, chart.unproject(at), KEYS_WAIT);
	} else if (event.key === "Enter") {
		pick(id);
	}
}

function mark(row, at) {
	const changes = "moved" in box().dataset;
	const icon = leaflet.divIcon({ className: "mark", html: String(Number(row.n)), iconSize: [28, 28] });
	const made = leaflet.marker(at, { icon, draggable: changes, title: row.called }).addTo(chart);
	const element = made.getElement();
	element.setAttribute("role", changes ? "button" : "img");
	element.setAttribute("aria-label", `${row.n} ${row.called}`);
	if (changes) {
		made.on("dragstart", () => { held = row.asset; });
		made.on("dragend", () => {
			held = null;
			move(row.asset, made.getLatLng());
		});
		made.on("click", () => pick(row.asset));
		element.addEventListener("keydown", event => key(row.asset, event));
	}
	return made;
}

// What the list has now.
function drawAll() {
	const rows = assets();
	for (const id of [...marks.keys()])
		if (!rows.some(row => row.asset === id))
			draw(id, null);
	for (const row of rows)
		draw(row.asset, place(row.asset));
}

function look() {
	const spots = assets().map(spot).filter(Boolean);
	if (spots.length > 0)
		chart.fitBounds(leaflet.latLngBounds(spots), { maxZoom: NEAR, padding: [40, 40], animate: false });
	else
		chart.setView([0, 0], 1);
}

// A note is text: the library would take it for HTML.
function plain(note) {
	const line = document.createElement("span");
	line.textContent = note;
	return line.innerHTML;
}

function begin() {
	const { tiles, note, zoomIn, zoomOut } = box().dataset;
	box().hidden = false;
	document.documentElement.classList.add("mapped");
	chart = leaflet.map(box(), { zoomControl: false });
	leaflet.control.zoom({ zoomInTitle: zoomIn, zoomOutTitle: zoomOut }).addTo(chart);
	leaflet.tileLayer(tiles, { attribution: plain(note), maxZoom: 20 }).addTo(chart);
	leaflet.control.scale().addTo(chart);
	look();
	drawAll();
	chart.on("click", event => {
		if (!picked())
			return;
		move(picked(), event.latlng);
		pick(null);
	});
	document.addEventListener("click", event => {
		const id = event.target.closest?.("[data-pick]")?.dataset.pick;
		if (id) {
			event.preventDefault();
			pick(id);
		}
	});
	new MutationObserver(drawAll).observe(document.getElementById("main"), { childList: true });
}

export async function map() {
	if (!box())
		return;
	leaflet = await import("/leaflet/leaflet.esm.min.js");
	begin();
}
