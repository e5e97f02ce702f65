// SPDX-License-Identifier: MIT

// How dispatch software talks to dispatchd, in Go with redigo: see README.md beside this file.
package main

import (
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"
)

const usage = `usage: client publish STATE JOB CUSTOMER REVISION [KEY=VALUE ...]
       client ask create|dispatch JOB CUSTOMER REVISION [KEY=VALUE ...]
       client outcomes GROUP [COUNT]
       client partition CUSTOMER ...`

const remember = 7 * 24 * time.Hour // how long a repeat is recognized

// How many daemons share the customers.
func partitions() uint32 {
	if n, err := strconv.ParseUint(os.Getenv("PARTITIONS"), 10, 16); err == nil && n > 0 {
		return uint32(n)
	}
	return 1
}

// Which of them has this customer: by the bytes of its number in UTF-8.
func partition(customer string) uint32 {
	return crc32.ChecksumIEEE([]byte(customer)) % partitions()
}

// The stream of that daemon: `jobs:events` where there is one, else `jobs:events:0` and so on.
func stream(name, customer string) string {
	if partitions() > 1 {
		return fmt.Sprintf("%s:%d", name, partition(customer))
	}
	return name
}

type entry struct {
	id     string
	fields map[string]string
}

// The attributes of an event or a request, then its data.
func fields(id, kind, job, customer string, data []string) redis.Args {
	args := redis.Args{}.Add("id", id, "source", "example", "type", "job."+kind, "job", job, "customer", customer)
	for _, pair := range data {
		key, value, _ := strings.Cut(pair, "=")
		args = args.Add(key, value)
	}
	return args
}

// Adds a job event. Its id is made from the job's own record, so that a repeat after a lost reply is recognized: say
// it again until Redis has answered.
func publish(c redis.Conn, state, job, customer, revision string, data []string) (string, error) {
	id := job + ":" + state + ":" + revision
	return redis.String(c.Do("XADD", append(redis.Args{stream("jobs:events", customer), "*"},
		fields(id, state, job, customer, data)...)...))
}

// Asks the gate and waits for its answer; nil where none came in time. Asked again with the same revision it acts
// once, and the recorded answer comes again.
func ask(c redis.Conn, action, job, customer, revision string, data []string) (map[string]string, error) {
	id := job + ":" + action + ":" + revision
	latest, err := entries(c.Do("XREVRANGE", "jobs:outcomes", "+", "-", "COUNT", 1))
	if err != nil {
		return nil, err
	}
	last := "0-0" // the answer comes behind this one
	if len(latest) > 0 {
		last = latest[0].id
	}
	if _, err := c.Do("XADD", append(redis.Args{stream("jobs:requests", customer), "*"},
		fields(id, action, job, customer, data)...)...); err != nil {
		return nil, err
	}
	end := time.Now().Add(answerWithin())
	for left := time.Until(end); left > 0; left = time.Until(end) {
		wait := int64(math.Max(1, float64(left.Milliseconds())))
		read, err := streamEntries(redis.DoWithTimeout(c, left+5*time.Second, "XREAD", "COUNT", 100,
			"BLOCK", wait, "STREAMS", "jobs:outcomes", last))
		if err != nil {
			return nil, err
		}
		for _, e := range read {
			last = e.id
			if e.fields["event"] == id && e.fields["source"] == "example" {
				return e.fields, nil
			}
		}
	}
	return nil, nil
}

func answerWithin() time.Duration {
	if s, err := strconv.ParseFloat(os.Getenv("ANSWER_WITHIN_S"), 64); err == nil {
		return time.Duration(s * float64(time.Second))
	}
	return 5 * time.Second
}

// Reads outcomes as a member of a consumer group until `count` were handled. First come those that this member read
// before and did not acknowledge. Each is handled once, unless this program dies between handling it and remembering
// it: where that matters, write the outcome's id and what follows from it in one transaction.
func outcomes(c redis.Conn, group string, count int, handle func(map[string]string)) error {
	_, err := c.Do("XGROUP", "CREATE", "jobs:outcomes", group, "0", "MKSTREAM")
	if err != nil && !strings.HasPrefix(err.Error(), "BUSYGROUP") {
		return err
	}
	member, err := os.Hostname()
	if err != nil {
		return err
	}
	for after := "0"; count > 0; {
		most := int(math.Min(float64(count), 100))
		read, err := streamEntries(redis.DoWithTimeout(c, 10*time.Second, "XREADGROUP", "GROUP", group, member,
			"COUNT", most, "BLOCK", 1000, "STREAMS", "jobs:outcomes", after))
		if err != nil {
			return err
		}
		if after != ">" && len(read) == 0 {
			after = ">" // nothing is left of what was read before
		}
		for _, e := range read {
			seen := group + ":seen:" + e.fields["id"]
			known, err := redis.Bool(c.Do("EXISTS", seen))
			known = known || len(e.fields) == 0 // trimmed before it was handled
			if err != nil {
				return err
			}
			if !known {
				handle(e.fields)
				if _, err := c.Do("SET", seen, "1", "EX", int(remember.Seconds())); err != nil {
					return err
				}
				count--
			}
			if _, err := c.Do("XACK", "jobs:outcomes", group, e.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// [[id, [name, value, ...]], ...]
func entries(reply interface{}, err error) ([]entry, error) {
	rows, err := redis.Values(reply, err)
	if errors.Is(err, redis.ErrNil) {
		return nil, nil
	}
	var found []entry
	for _, row := range rows {
		pair, err := redis.Values(row, nil)
		if err != nil {
			return nil, err
		}
		id, err := redis.String(pair[0], nil)
		if err != nil {
			return nil, err
		}
		values, err := redis.StringMap(pair[1], nil)
		if err != nil && !errors.Is(err, redis.ErrNil) {
			return nil, err
		}
		found = append(found, entry{id, values})
	}
	return found, err
}

// [[stream, entries]] of the one stream that was asked for; nil where there is nothing.
func streamEntries(reply interface{}, err error) ([]entry, error) {
	streams, err := redis.Values(reply, err)
	if errors.Is(err, redis.ErrNil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	pair, err := redis.Values(streams[0], nil)
	if err != nil {
		return nil, err
	}
	return entries(pair[1], nil)
}

func run(c redis.Conn, args []string) (int, error) {
	switch {
	case len(args) >= 5 && args[0] == "publish":
		id, err := publish(c, args[1], args[2], args[3], args[4], args[5:])
		fmt.Println(id)
		return 0, err
	case len(args) >= 5 && args[0] == "ask":
		answer, err := ask(c, args[1], args[2], args[3], args[4], args[5:])
		if answer == nil {
			fmt.Println("no answer yet")
			return 75, err
		}
		fmt.Println(answer["status"], answer["reason"])
		return 0, nil
	case (len(args) == 2 || len(args) == 3) && args[0] == "outcomes":
		count := math.MaxInt
		if len(args) == 3 {
			var err error
			if count, err = strconv.Atoi(args[2]); err != nil {
				return 64, err
			}
		}
		return 0, outcomes(c, args[1], count, func(o map[string]string) {
			fmt.Println(o["id"], o["event"], o["status"], o["reason"])
		})
	}
	if len(args) >= 2 && args[0] == "partition" {
		for _, customer := range args[1:] {
			fmt.Println(partition(customer))
		}
		return 0, nil
	}
	fmt.Fprintln(os.Stderr, usage)
	return 64, nil
}

func main() {
	url := os.Getenv("REDIS_URL")
	if url == "" {
		url = "redis://127.0.0.1:6379/0"
	}
	c, err := redis.DialURL(url)
	code := 69
	if err == nil {
		code, err = run(c, os.Args[1:])
		c.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		if code == 0 {
			code = 69
		}
	}
	os.Exit(code)
}
