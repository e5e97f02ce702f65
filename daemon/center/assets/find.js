// SPDX-License-Identifier: MIT
// Search as you type: a combobox (ARIA 1.2) with a list of customers. The last answer wins.
import { say, words } from "./page.js";

const LEAST = 2, MOST = 8;
const fixed = JSON.parse(words.fixed || "{}");
const named = word => fixed[word] || word;

function option(id, href, parts, bad) {
	const row = document.createElement("div");
	row.id = id;
	row.setAttribute("role", "option");
	row.setAttribute("aria-selected", "false");
	row.dataset.href = href;
	row.classList.toggle("bad", bad);
	for (const [tag, className, text] of parts) {
		const part = document.createElement(tag);
		part.className = className;
		part.textContent = text;
		row.append(part, " ");
	}
	return row;
}

function hit(customer, n) {
	const place = [customer.address, customer.city, customer.state].filter(Boolean).join(", ");
	const { field, value } = customer.matched || {};
	const parts = [["b", "", customer.name], ["span", "muted", customer.number]];
	if (customer.suspended)
		parts.push(["span", "pill bad", named("suspended")]);
	if (customer.status !== "active")
		parts.push(["span", `pill ${customer.status}`, named(customer.status)]);
	parts.push(["div", "muted", [place, field && `${named(field)}: ${value}`].filter(Boolean).join(" · ")]);
	return option(`hit-${n}`, `/customers/${encodeURIComponent(customer.number)}`, parts, customer.suspended);
}

class Finder {
	constructor(form) {
		this.input = form.elements.q;
		this.adds = form.dataset.find === "add";
		this.list = document.createElement("div");
		this.list.id = "hits";
		this.list.hidden = true;
		this.list.setAttribute("role", "listbox");
		this.list.setAttribute("aria-label", words.customers);
		this.input.type = "text";
		for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": "hits",
			"aria-autocomplete": "list" }))
			this.input.setAttribute(name, value);
		form.append(this.list);
		this.asked = 0;
		this.active = -1;
		this.input.addEventListener("input", () => this.ask());
		this.input.addEventListener("keydown", event => this.key(event));
		this.input.addEventListener("blur", () => this.close());
		this.input.addEventListener("focus", () => this.list.childElementCount && this.open());
		this.list.addEventListener("mousedown", event => event.preventDefault());
		this.list.addEventListener("click", event => this.go(event.target.closest("[role=option]")));
	}

	async ask() {
		const text = this.input.value.trim(), mine = ++this.asked;
		this.last?.abort();
		if (text.length < LEAST) {
			this.list.replaceChildren();
			this.close();
			return;
		}
		this.last = new AbortController();
		try {
			const answer = await fetch(`/api/v1/customers?limit=${MOST}&q=${encodeURIComponent(text)}`,
				{ signal: this.last.signal });
			const found = answer.ok ? (await answer.json()).customers : [];
			if (mine === this.asked)
				this.fill(text, found);
		} catch (fault) {
			if (fault.name !== "AbortError")
				say(words.unsearched);
		}
	}

	fill(text, customers) {
		const rows = customers.map(hit);
		if (this.adds)
			rows.push(option("hit-new", `/add/customers?typed=${encodeURIComponent(text)}`,
				[["span", "", words.addNew], ["b", "", text]], false));
		this.list.replaceChildren(...rows);
		this.list.dataset.text = text;
		this.active = -1;
		this.input.removeAttribute("aria-activedescendant");
		if (rows.length && document.activeElement === this.input)
			this.open();
		else
			this.close();
	}

	open() {
		this.list.hidden = false;
		this.input.setAttribute("aria-expanded", "true");
	}

	close() {
		this.list.hidden = true;
		this.input.setAttribute("aria-expanded", "false");
	}

	move(step) {
		const rows = [...this.list.children];
		this.open();
		rows[this.active]?.setAttribute("aria-selected", "false");
		this.active = (this.active + step + rows.length + (this.active < 0 && step < 0 ? 1 : 0)) % rows.length;
		rows[this.active].setAttribute("aria-selected", "true");
		rows[this.active].scrollIntoView({ block: "nearest" });
		this.input.setAttribute("aria-activedescendant", rows[this.active].id);
	}

	// The one customer that was found of what stands there now.
	only() {
		const rows = [...this.list.children].filter(row => row.id !== "hit-new");
		return rows.length === 1 && this.list.dataset.text === this.input.value.trim() ? rows[0] : null;
	}

	go(row) {
		if (row)
			location.assign(row.dataset.href);
	}

	key(event) {
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (step && this.list.childElementCount) {
			event.preventDefault();
			this.move(step);
		} else if (event.key === "Enter" && !this.list.hidden && this.active >= 0) {
			event.preventDefault();
			this.go(this.list.children[this.active]);
		} else if (event.key === "Enter" && !this.list.hidden && this.only()) {
			event.preventDefault();
			this.go(this.only());
		} else if (event.key === "Escape" && !this.list.hidden) {
			event.preventDefault();
			this.close();
		}
	}
}

export function find() {
	for (const form of document.querySelectorAll("form[data-find]"))
		new Finder(form);
}
