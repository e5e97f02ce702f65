// SPDX-License-Identifier: MIT
// What others change appears. The stream is there only while the page is seen: a browser has few connections to a host.
import { load, refresh, subject } from "./page.js";

const SHARE = 5, LONGEST = 5_000, MINUTE = 60_000; // between two looks a few times as long as one takes
const wait = ms => new Promise(done => setTimeout(done, ms));
let source, since, looking, due;

// Who changed it last, by the customer's history.
async function who() {
	if (!location.pathname.startsWith("/customers/"))
		return "";
	const { page } = await load(`${subject(location.pathname)}/history`);
	return page.querySelector("#rows li b")?.textContent;
}

// Many events at once are one look; one that fails, of a busy server say, is made again.
async function look() {
	due = true;
	if (looking)
		return;
	looking = true;
	while (due) {
		await wait(50);
		due = false;
		const begun = performance.now();
		const failed = await refresh({ who }).catch(() => null) === null;
		due ||= failed;
		await wait(failed ? LONGEST : Math.min(LONGEST, SHARE * (performance.now() - begun)));
	}
	looking = false;
}

// What has changed since the page was made is heard first.
function listen(topics) {
	source = new EventSource(`/api/v1/live?topics=${topics}&since=${since}`);
	for (const topic of ["customer", "holds", "mails", "jobs"])
		source.addEventListener(topic, event => {
			since = event.lastEventId;
			look();
		});
}

function deaf() {
	source?.close();
	source = null;
}

export function live() {
	const topics = document.getElementById("main").dataset.live;
	if (!topics || !document.querySelector("[data-region]"))
		return;
	since = document.getElementById("main").dataset.since;
	document.addEventListener("visibilitychange", () => {
		if (document.hidden) {
			deaf();
		} else if (!source) {
			listen(topics);
		}
	});
	addEventListener("pagehide", deaf);
	if (document.querySelector("[data-minutes]")) // what it says changes by the clock, too
		setInterval(() => !document.hidden && look(), MINUTE);
	if (!document.hidden)
		listen(topics);
}
