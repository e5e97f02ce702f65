#!/usr/bin/php
<?php
// SPDX-License-Identifier: MIT
// How dispatch software talks to dispatchd, in PHP with its extension redis: see README.md beside this file.
declare(strict_types=1);

const USAGE = "usage: client.php publish STATE JOB CUSTOMER REVISION [KEY=VALUE ...]\n"
	. "       client.php ask create|dispatch JOB CUSTOMER REVISION [KEY=VALUE ...]\n"
	. "       client.php outcomes GROUP [COUNT]\n"
	. "       client.php partition CUSTOMER ...\n";
const REMEMBER_S = 7 * 24 * 3600; // how long a repeat is recognized
define('PARTITIONS', (int)(getenv('PARTITIONS') ?: 1));

// Which of the daemons that share the customers has this one: by the bytes of its number in UTF-8.
function partition(string $customer): int
{
	return crc32($customer) % PARTITIONS; // never negative where integers have 64 bits
}

// The stream of that daemon: `jobs:events` where there is one, else `jobs:events:0` and so on.
function stream(string $name, string $customer): string
{
	return PARTITIONS > 1 ? $name . ':' . partition($customer) : $name;
}

// Adds a job event. Its id is made from the job's own record, so that a repeat after a lost reply is recognized: say
// it again until Redis has answered.
function publish(Redis $redis, string $state, string $job, string $customer, string $revision, array $data): string
{
	return $redis->xAdd(stream('jobs:events', $customer), '*', ['id' => "$job:$state:$revision",
		'source' => 'example', 'type' => "job.$state", 'job' => $job, 'customer' => $customer] + $data);
}

// Asks the gate and waits for its answer; null where none came in time. Asked again with the same revision it acts
// once, and the recorded answer comes again.
function ask(Redis $redis, string $action, string $job, string $customer, string $revision, array $data): ?array
{
	$id = "$job:$action:$revision";
	$last = array_key_first($redis->xRevRange('jobs:outcomes', '+', '-', 1) ?: []) ?? '0-0';
	$redis->xAdd(stream('jobs:requests', $customer), '*', ['id' => $id, 'source' => 'example',
		'type' => "job.$action", 'job' => $job, 'customer' => $customer] + $data);
	$end = microtime(true) + (float)(getenv('ANSWER_WITHIN_S') ?: 5);
	while (($left = $end - microtime(true)) > 0) {
		$read = $redis->xRead(['jobs:outcomes' => $last], 100, max(1, (int)($left * 1000)));
		foreach ($read['jobs:outcomes'] ?? [] as $entry => $outcome) {
			$last = $entry; // the answer comes behind this one
			if ($outcome['event'] === $id && $outcome['source'] === 'example')
				return $outcome;
		}
	}
	return null;
}

// Reads outcomes as a member of a consumer group until $count were handled. First come those that this member read
// before and did not acknowledge. Each is handled once, unless this program dies between handling it and remembering
// it: where that matters, write the outcome's id and what follows from it in one transaction.
function outcomes(Redis $redis, string $group, int $count, callable $handle): void
{
	$redis->xGroup('CREATE', 'jobs:outcomes', $group, '0', true); // false where it is there already
	$after = '0';
	while ($count > 0) {
		$most = min($count, 100);
		$read = $after === '>'
			? $redis->xReadGroup($group, gethostname(), ['jobs:outcomes' => $after], $most, 1000)
			: $redis->xReadGroup($group, gethostname(), ['jobs:outcomes' => $after], $most);
		$entries = $read['jobs:outcomes'] ?? [];
		if ($after !== '>' && $entries === [])
			$after = '>'; // nothing is left of what was read before
		foreach ($entries as $entry => $outcome) {
			$seen = "$group:seen:" . ($outcome['id'] ?? '');
			if ($outcome && !$redis->exists($seen)) { // nothing where it was trimmed before it was handled
				$handle($outcome);
				$redis->set($seen, '1', ['ex' => REMEMBER_S]);
				$count--;
			}
			$redis->xAck('jobs:outcomes', $group, [$entry]);
		}
	}
}

function run(Redis $redis, array $args): int
{
	$verb = $args[0] ?? '';
	if (in_array($verb, ['publish', 'ask'], true) && count($args) >= 5) {
		$data = [];
		foreach (array_slice($args, 5) as $pair) {
			[$key, $value] = explode('=', $pair, 2) + [1 => ''];
			$data[$key] = $value;
		}
		if ($verb === 'publish') {
			echo publish($redis, ...[...array_slice($args, 1, 4), $data]), "\n";
			return 0;
		}
		$answer = ask($redis, ...[...array_slice($args, 1, 4), $data]);
		echo $answer === null ? 'no answer yet' : "{$answer['status']} {$answer['reason']}", "\n";
		return $answer === null ? 75 : 0;
	}
	if ($verb === 'outcomes' && in_array(count($args), [2, 3], true)) {
		outcomes($redis, $args[1], (int)($args[2] ?? PHP_INT_MAX),
			fn(array $o) => print("{$o['id']} {$o['event']} {$o['status']} {$o['reason']}\n"));
		return 0;
	}
	if ($verb === 'partition' && count($args) >= 2) {
		echo implode("\n", array_map('partition', array_slice($args, 1))), "\n";
		return 0;
	}
	fwrite(STDERR, USAGE);
	return 64;
}

$url = parse_url(getenv('REDIS_URL') ?: 'redis://127.0.0.1:6379/0');
$redis = new Redis();
$redis->connect($url['host'], $url['port'] ?? 6379, 5);
$redis->setOption(Redis::OPT_READ_TIMEOUT, -1); // reads that wait say how long
if (isset($url['pass']))
	$redis->auth(isset($url['user']) && $url['user'] !== '' ? [$url['user'], $url['pass']] : $url['pass']);
$redis->select((int)ltrim($url['path'] ?? '/0', '/'));
exit(run($redis, array_slice($argv, 1)));
