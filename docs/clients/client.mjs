#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// How dispatch software talks to dispatchd, in Node.js: see README.md beside this file.
import { hostname } from 'node:os';
import { createRequire } from 'node:module';

const { createClient } = createRequire(import.meta.url)('redis');

const USAGE = `usage: client.mjs publish STATE JOB CUSTOMER REVISION [KEY=VALUE ...]
       client.mjs ask create|dispatch JOB CUSTOMER REVISION [KEY=VALUE ...]
       client.mjs outcomes GROUP [COUNT]
       client.mjs partition CUSTOMER ...`;
const ANSWER_WITHIN_MS = 1000 * Number(process.env.ANSWER_WITHIN_S ?? 5);
const PARTITIONS = Number(process.env.PARTITIONS ?? 1);
const REMEMBER_S = 7 * 24 * 3600; // how long a repeat is recognized

// As zlib's, which Node.js has from 22.2 on (zlib.crc32).
function crc32(bytes) {
	let crc = ~0;
	for (const byte of bytes) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit++)
			crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc >>> 0;
}

// Which of the daemons that share the customers has this one: by the bytes of its number in UTF-8.
function partition(customer) {
	return crc32(Buffer.from(customer, 'utf8')) % PARTITIONS;
}

// The stream of that daemon: `jobs:events` where there is one, else `jobs:events:0` and so on.
function stream(name, customer) {
	return PARTITIONS > 1 ? `${name}:${partition(customer)}` : name;
}

// Adds a job event. Its id is made from the job's own record, so that a repeat after a lost reply is recognized: say
// it again until Redis has answered.
async function publish(redis, state, job, customer, revision, data) {
	const id = `${job}:${state}:${revision}`;
	return redis.xAdd(stream('jobs:events', customer), '*',
		{ ...data, id, source: 'example', type: `job.${state}`, job, customer });
}

// Asks the gate and waits for its answer; null where none came in time. Asked again with the same revision it acts
// once, and the recorded answer comes again.
async function ask(redis, action, job, customer, revision, data) {
	const id = `${job}:${action}:${revision}`;
	const latest = await redis.xRevRange('jobs:outcomes', '+', '-', { COUNT: 1 });
	let last = latest[0]?.id ?? '0-0'; // the answer comes behind this one
	await redis.xAdd(stream('jobs:requests', customer), '*',
		{ ...data, id, source: 'example', type: `job.${action}`, job, customer });
	const end = performance.now() + ANSWER_WITHIN_MS;
	for (let left; (left = end - performance.now()) > 0;) {
		const read = await redis.xRead({ key: 'jobs:outcomes', id: last },
			{ COUNT: 100, BLOCK: Math.max(1, Math.floor(left)) });
		for (const entry of read?.[0].messages ?? []) {
			last = entry.id;
			if (entry.message.event === id && entry.message.source === 'example')
				return entry.message;
		}
	}
	return null;
}

// Reads outcomes as a member of a consumer group until `count` were handled. First come those that this member read
// before and did not acknowledge. Each is handled once, unless this program dies between handling it and remembering
// it: where that matters, write the outcome's id and what follows from it in one transaction.
async function outcomes(redis, group, count, handle) {
	await redis.xGroupCreate('jobs:outcomes', group, '0', { MKSTREAM: true }).catch((error) => {
		if (!error.message.startsWith('BUSYGROUP'))
			throw error;
	});
	for (let after = '0'; count > 0;) {
		// xReadGroup() of this version fails at an entry that was trimmed before it was handled.
		const read = await redis.sendCommand(['XREADGROUP', 'GROUP', group, hostname(), 'COUNT',
			String(Math.min(count, 100)), 'BLOCK', '1000', 'STREAMS', 'jobs:outcomes', after]);
		const entries = read?.[0][1] ?? [];
		if (after !== '>' && entries.length === 0)
			after = '>'; // nothing is left of what was read before
		for (const [entry, words] of entries) {
			const outcome = fields(words ?? []);
			const seen = `${group}:seen:${outcome.id}`;
			if (outcome.id !== undefined && !await redis.exists(seen)) {
				handle(outcome);
				await redis.set(seen, '1', { EX: REMEMBER_S });
				count--;
			}
			await redis.xAck('jobs:outcomes', group, entry);
		}
	}
}

// [name, value, ...] as an object.
function fields(words) {
	const found = {};
	for (let i = 0; i < words.length; i += 2)
		found[words[i]] = words[i + 1];
	return found;
}

async function run(redis, [verb, ...rest]) {
	if (['publish', 'ask'].includes(verb) && rest.length >= 4) {
		const data = Object.fromEntries(rest.slice(4).map((pair) => pair.split(/=(.*)/s, 2)));
		if (verb === 'publish') {
			console.log(await publish(redis, ...rest.slice(0, 4), data));
			return 0;
		}
		const answer = await ask(redis, ...rest.slice(0, 4), data);
		console.log(answer ? `${answer.status} ${answer.reason}` : 'no answer yet');
		return answer ? 0 : 75;
	}
	if (verb === 'outcomes' && (rest.length === 1 || rest.length === 2)) {
		await outcomes(redis, rest[0], Number(rest[1] ?? Infinity),
			(o) => console.log(o.id, o.event, o.status, o.reason));
		return 0;
	}
	if (verb === 'partition' && rest.length >= 1) {
		console.log(rest.map(partition).join('\n'));
		return 0;
	}
	console.error(USAGE);
	return 64;
}

// Without a strategy of its own it would try for ever and say nothing.
const redis = createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379/0',
	socket: { reconnectStrategy: (tries) => (tries < 5 ? 200 * tries : new Error('Redis is away')) } });
let fault; // why the latest connection failed
redis.on('error', (error) => { fault = error; });
try {
	await redis.connect();
	process.exitCode = await run(redis, process.argv.slice(2));
	await redis.quit();
} catch (error) {
	console.error(`client: ${fault?.message || error.message}`);
	process.exit(69);
}
