// SPDX-License-Identifier: MIT
// The command beside a record's form, kept true as one fills it in: as pages/form_command.c has it without scripts,
// but of a record that is changed only what differs.
import { changedByHand } from "./page.js";

const quote = word => /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

// The fields of a record, by name; the boxes of one choice are one of them.
function fieldsOf(form) {
	const fields = new Map();
	for (const input of form.elements)
		if (input.name && !["hidden", "submit", "button", "file"].includes(input.type) && !("aside" in input.dataset))
			fields.set(input.name, [...(fields.get(input.name) ?? []), input]);
	return fields;
}

// The words of one field, those that are not options first.
function wordsOf(name, inputs, adding) {
	const [input] = inputs, capitals = (input.dataset.pair ?? name).toUpperCase();
	const option = `--${name.replaceAll("_", "-")}`;
	let { value } = input;
	if (input.type === "password" && !value)
		return [[], []];
	if (input.type === "checkbox" && input.closest("fieldset"))
		return [[], [option, inputs.filter(box => box.checked).map(box => box.value).join(",") || "none"]];
	if (input.type === "checkbox")
		return [[], input.checked ? [option] : adding ? [] : [option, "no"]];
	if (input.type === "password" || (!value && adding && input.required))
		value = capitals;
	if (!value && adding)
		return [[], []];
	return input.dataset.pair ? [[`${input.dataset.pair}=${value}`], []] : [[], [option, value]];
}

// As command_line() of pages/command.h.
export function lineOf(words, options) {
	const [noun, verb, ...rest] = words;
	const behind = rest.some(word => word.startsWith("-"));
	const line = behind ? [noun, verb, ...options, "--", ...rest] : [noun, verb, ...rest, ...options];
	return [noun === "user" ? "dispatch-center" : "dispatchctl", ...line].map(quote).join(" ");
}

// One for each file, where files are chosen. "" where nothing has been changed.
function linesOf(form, fold) {
	const adding = fold.dataset.follow === "add", all = adding || "again" in fold.dataset;
	const first = JSON.parse(fold.dataset.words), options = [], pairs = [];
	for (const [name, inputs] of fieldsOf(form)) {
		const indefinite = name === "until" ? form.elements.indefinite : null;
		if (name === "indefinite" || !(all || [...inputs, indefinite].some(input => input && changedByHand(input))))
			continue;
		const [words, more] = name === fold.dataset.field ? [[inputs[0].value || name.toUpperCase()], []]
			: wordsOf(name, inputs, adding);
		pairs.push(...words);
		options.push(...more);
	}
	const files = [...form.elements.file?.files ?? []];
	if (!pairs.length && !options.length)
		return "";
	return (files.length ? files.map(file => [file.name]) : [form.elements.file ? ["FILE"] : []])
		.map(file => lineOf([...first, ...file, ...pairs], options)).join("\n");
}

function follow(fold) {
	const form = fold.parentElement.querySelector("form"), code = fold.querySelector("code");
	code.dataset.shown = code.dataset.shown ?? code.textContent;
	code.textContent = linesOf(form, fold) || code.dataset.shown;
}

function start(root) {
	root?.querySelectorAll("[data-follow]").forEach(follow);
}

export function command() {
	for (const name of ["input", "change"])
		document.addEventListener(name, event => start(event.target.form?.parentElement));
	document.addEventListener("center:shown", event => start(event.target));
	start(document);
}
