package outbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

const maxListed = 100

// Undelivered is a callback that waits for its delivery, or a dead letter.
type Undelivered struct {
	EventID  string `json:"EventId"`
	Hook     string `json:"Hook"`
	Command  string `json:"CallbackCommand"`
	Attempts int    `json:"Attempts"`
	// Since, NextAt and DeadAt are unix milliseconds; NextAt is 0 before the first attempt, DeadAt while it waits.
	Since  int64    `json:"Since"`
	NextAt int64    `json:"NextAt"`
	DeadAt int64    `json:"DeadAt"`
	Body   wire.Raw `json:"Body"`

	id int64
}

// Query selects stored callbacks of an application.
type Query struct {
	Dead bool
	// After is the EventId behind which the page begins; empty for the first page.
	After string
	// Limit is the size of the page: 1 to 100, and 100 when zero.
	Limit int
}

// List gives a page of stored callbacks in the order in which they were stored.
func List(ctx context.Context, from db.Source, app im.AppID, q Query) ([]Undelivered, error) {
	after, err := parseID(q.After)
	if err != nil {
		return nil, err
	}
	if q.Limit <= 0 || q.Limit > maxListed {
		q.Limit = maxListed
	}
	if q.Dead {
		return listFailed(ctx, from, app, true, after, q.Limit)
	}
	// In this order: what fails meanwhile is found twice, and not nowhere.
	fresh, err := listFresh(ctx, from, app, after, q.Limit)
	if err != nil {
		return nil, err
	}
	failed, err := listFailed(ctx, from, app, false, after, q.Limit)
	if err != nil {
		return nil, err
	}
	found := slices.Concat(failed, fresh)
	slices.SortStableFunc(found, func(x, y Undelivered) int { return cmp.Compare(x.id, y.id) })
	found = slices.CompactFunc(found, func(x, y Undelivered) bool { return x.id == y.id })
	return found[:min(len(found), q.Limit)], nil
}

// listFailed lists callbacks of which an attempt failed.
func listFailed(ctx context.Context, from db.Source, app im.AppID, dead bool, after int64, limit int) ([]Undelivered, error) { //nolint:revive // a query's parameters
	return db.All(ctx, from, func(row db.Scanner) (Undelivered, error) {
		var s Undelivered
		var body string
		err := row(&s.id, &s.Hook, &s.Command, &s.Attempts, &s.Since, &s.NextAt, &s.DeadAt, &body)
		s.EventID, s.Body = formatID(s.id), wire.Raw(body)
		return s, err
	}, `SELECT id, hook, command, attempts, since, next_at, dead_at, body FROM webhook_event
		WHERE app_id = $1 AND (dead_at > 0) = $2 AND id > $3 ORDER BY id LIMIT $4`, int64(app), dead, after, limit)
}

// listFresh lists callbacks that wait for their first attempt.
func listFresh(ctx context.Context, from db.Source, app im.AppID, after int64, limit int) ([]Undelivered, error) {
	var all []Undelivered
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			hook   string
			at     int64
			packed []byte
		)
		if err := row(&hook, &at, &packed); err != nil {
			return err
		}
		callbacks, err := unpack(packed)
		if err != nil { // the log tells of it
			return nil
		}
		for _, e := range callbacks {
			if e.id > after {
				all = append(all, Undelivered{
					id: e.id, EventID: formatID(e.id), Hook: hook, Command: e.command, Since: at, Body: wire.Raw(e.body),
				})
			}
		}
		return nil
	}, `SELECT hook, stored_at, events FROM webhook_outbox WHERE app_id = $1 AND last_id > $2 ORDER BY id LIMIT $3`,
		int64(app), after, limit)
	return all, err
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }

func parseID(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 0 {
		return 0, im.Errorf(im.CodeMessageFormat, "EventId %.40q is not one", text)
	}
	return id, nil
}

// Replay has dead letters delivered again: those named, or all of the application when none is named, at most
// MaxReplayed in one call. It returns how many it found. A running server sees them within a few seconds.
func Replay(ctx context.Context, d *db.DB, app im.AppID, eventIDs []string) (int, error) {
	ids := make([]int64, 0, len(eventIDs))
	for _, text := range eventIDs {
		id, err := parseID(text)
		if err != nil {
			return 0, err
		}
		ids = append(ids, id)
	}
	if len(ids) > MaxReplayed {
		return 0, im.Errorf(im.CodeMessageFormat, "%d callbacks: want at most %d", len(ids), MaxReplayed)
	}
	if len(ids) == 0 {
		var err error
		ids, err = db.All(ctx, d, db.Number, `SELECT id FROM webhook_event WHERE app_id = $1 AND dead_at > 0 ORDER BY id LIMIT $2`,
			int64(app), MaxReplayed)
		if err != nil {
			return 0, fmt.Errorf("find dead letters: %w", err)
		}
	}
	var replayed int64
	err := d.Write(ctx, func(tx *db.Tx) error {
		replayed = 0
		for _, id := range ids {
			n, err := tx.Exec(`UPDATE webhook_event SET dead_at = 0, next_at = 0, since = $3
				WHERE id = $1 AND app_id = $2 AND dead_at > 0`, id, int64(app), tx.Now().UnixMilli())
			if err != nil {
				return err
			}
			replayed += n
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("replay callbacks: %w", err)
	}
	return int(replayed), nil
}

// MaxReplayed bounds one Replay.
const MaxReplayed = 1000

// Attempt is the record of one attempt to deliver a callback.
type Attempt struct {
	EventID string `json:"EventId"`
	Number  int    `json:"Number"`
	Hook    string `json:"Hook"`
	Command string `json:"CallbackCommand"`
	// At is a unix millisecond, Took milliseconds.
	At   int64 `json:"At"`
	Took int64 `json:"Took"`
	// Status is HTTP's, 0 without an answer; Reply is the answer's beginning, or why there was none.
	Status int    `json:"Status"`
	Reply  string `json:"Reply"`

	event int64
}

// Attempts lists the attempts to deliver one callback.
func Attempts(ctx context.Context, from db.Source, app im.AppID, eventID string) ([]Attempt, error) {
	id, err := parseID(eventID)
	if err != nil {
		return nil, err
	}
	rows, err := db.All(ctx, from, db.Text, `SELECT attempts FROM webhook_attempt
			WHERE first_event = last_event AND first_event = $1 AND app_id = $2
		UNION ALL SELECT attempts FROM (SELECT attempts FROM webhook_attempt
			WHERE id > $3 AND first_event < last_event AND first_event <= $4 AND last_event >= $5 AND app_id = $6
			ORDER BY id LIMIT 10) AS shared`, id, int64(app), id, id, id, int64(app))
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", err)
	}
	var all []Attempt
	for _, text := range rows {
		var some []Attempt
		if err := wire.Unmarshal([]byte(text), &some); err != nil {
			return nil, fmt.Errorf("read attempts: %w", err)
		}
		for _, one := range some {
			if one.EventID == formatID(id) {
				all = append(all, one)
			}
		}
	}
	slices.SortFunc(all, func(x, y Attempt) int { return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(x.Number, y.Number)) })
	return all, nil
}
