package attribute

import (
	"context"
	"errors"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
)

// data is what a group's attributes and counters have together. The zero data is that of a group that never had any.
type data struct {
	// attributes and counters count the changes of each.
	attributes, counters int64
	// second is the unix second of the latest change of an attribute, and inSecond how many there were in it.
	second, inSecond int64
}

func readData(ctx context.Context, from db.Source, group int64) (data, error) {
	found, err := db.One(ctx, from, func(row db.Scanner) (d data, err error) {
		return d, row(&d.attributes, &d.counters, &d.second, &d.inSecond)
	}, `SELECT attribute_sequence, counter_sequence, rate_second, rate_count FROM group_data WHERE group_id = $1`, group)
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return data{}, fmt.Errorf("read a group's data: %w", err)
	}
	return found, nil
}

// write stores it. The caller holds the group.
func (d *data) write(tx *db.Tx, group int64) error {
	_, err := tx.Exec(`INSERT INTO group_data (group_id, attribute_sequence, counter_sequence, rate_second, rate_count)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (group_id) DO UPDATE SET attribute_sequence = excluded.attribute_sequence,
		counter_sequence = excluded.counter_sequence, rate_second = excluded.rate_second, rate_count = excluded.rate_count`,
		group, d.attributes, d.counters, d.second, d.inSecond)
	return err
}

// attribute is one of a group's. Sequence is that of the change which wrote it.
type attribute struct {
	key, value string
	sequence   int64
}

// readAttributes reads all of a group's in the order of their keys; there are few.
func readAttributes(ctx context.Context, from db.Source, group int64) ([]attribute, error) {
	found, err := db.All(ctx, from, func(row db.Scanner) (one attribute, err error) {
		return one, row(&one.key, &one.value, &one.sequence)
	}, `SELECT name, value, sequence FROM group_attribute WHERE group_id = $1 ORDER BY name`, group)
	if err != nil {
		return nil, fmt.Errorf("read attributes: %w", err)
	}
	return found, nil
}

// putAttributes writes attributes, also over those of the same keys.
func putAttributes(tx *db.Tx, group int64, all []attribute) error {
	const width = 4
	return db.Chunks(tx, width, all, func(chunk []attribute) error {
		args := make([]any, 0, width*len(chunk))
		for _, one := range chunk {
			args = append(args, group, one.key, one.value, one.sequence)
		}
		_, err := tx.Exec(`INSERT INTO group_attribute (group_id, name, value, sequence) VALUES `+db.RowsOf(len(chunk), `(?,?,?,?)`)+`
			ON CONFLICT (group_id, name) DO UPDATE SET value = excluded.value, sequence = excluded.sequence`, args...)
		return err
	})
}

func removeAttributes(tx *db.Tx, group int64, keys []string) error {
	_, err := tx.Exec(`DELETE FROM group_attribute WHERE group_id = $1 AND name IN ($2...)`, group, db.Texts(keys))
	return err
}

// counter is one of a group's.
type counter struct {
	Key   string `json:"Key"`
	Value int64  `json:"Value"`
}

// readCounters reads all of a group's in the order of their keys; there are few.
func readCounters(ctx context.Context, from db.Source, group int64) ([]counter, error) {
	found, err := db.All(ctx, from, func(row db.Scanner) (one counter, err error) {
		return one, row(&one.Key, &one.Value)
	}, `SELECT name, value FROM group_counter WHERE group_id = $1 ORDER BY name`, group)
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	return found, nil
}

func putCounters(tx *db.Tx, group int64, all []counter) error {
	const width = 3
	return db.Chunks(tx, width, all, func(chunk []counter) error {
		args := make([]any, 0, width*len(chunk))
		for _, one := range chunk {
			args = append(args, group, one.Key, one.Value)
		}
		_, err := tx.Exec(`INSERT INTO group_counter (group_id, name, value) VALUES `+db.RowsOf(len(chunk), `(?,?,?)`)+`
			ON CONFLICT (group_id, name) DO UPDATE SET value = excluded.value`, args...)
		return err
	})
}

func removeCounters(tx *db.Tx, group int64, keys []string) error {
	_, err := tx.Exec(`DELETE FROM group_counter WHERE group_id = $1 AND name IN ($2...)`, group, db.Texts(keys))
	return err
}
