package relation

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// friend is a row of an account's list.
type friend struct {
	owner, id               im.AccountID
	number                  int64
	remark, source, wording string
	groups                  int64 // a bit for each friend group
	custom                  string
	added                   int64 // unix second
}

const friendColumns = `owner_id, friend_id, number, remark, source, wording, group_bits, custom, added_at`

func scanFriend(row db.Scanner) (*friend, error) {
	var f friend
	err := row(&f.owner, &f.id, &f.number, &f.remark, &f.source, &f.wording, &f.groups, &f.custom, &f.added)
	return &f, err
}

// friendsNamed reads those of the accounts that are in the owner's list.
func friendsNamed(ctx context.Context, from db.Source, owner im.AccountID, ids []im.AccountID) (map[im.AccountID]*friend, error) {
	rows, err := db.All(ctx, from, scanFriend, `SELECT `+friendColumns+` FROM friend WHERE owner_id = $1 AND friend_id IN ($2...)`,
		int64(owner), db.Ints(ids))
	found := make(map[im.AccountID]*friend, len(rows))
	for _, one := range rows {
		found[one.id] = one
	}
	return found, err
}

// ownersOf tells which of the accounts have somebody in their lists.
func ownersOf(ctx context.Context, from db.Source, who im.AccountID, ids []im.AccountID) (map[im.AccountID]bool, error) {
	return flags(ctx, from, `SELECT owner_id FROM friend WHERE friend_id = $1 AND owner_id IN ($2...)`, who, ids)
}

// flags runs a query that gives some of the ids.
func flags(ctx context.Context, from db.Source, query string, who im.AccountID, ids []im.AccountID) (map[im.AccountID]bool, error) {
	found := map[im.AccountID]bool{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		id, err := db.Number(row)
		found[im.AccountID(id)] = true
		return err
	}, query, int64(who), db.Ints(ids))
	return found, err
}

// putFriends adds friends, or writes them anew. Their numbers are the next ones of their owners.
func (c *change) putFriends(all []*friend) error {
	const width = 9
	return db.Chunks(c.tx, width, all, func(chunk []*friend) error {
		args := make([]any, 0, width*len(chunk))
		for _, f := range chunk {
			args = append(args, int64(f.owner), int64(f.id), f.number, f.remark, f.source, f.wording, f.groups, f.custom, f.added)
		}
		_, err := c.tx.Exec(`INSERT INTO friend (`+friendColumns+`) VALUES `+db.RowsOf(len(chunk), `(?,?,?,?,?,?,?,?,?)`)+`
			ON CONFLICT (owner_id, friend_id) DO UPDATE SET remark = excluded.remark, source = excluded.source, wording = excluded.wording,
			group_bits = excluded.group_bits, custom = excluded.custom, added_at = excluded.added_at`, args...)
		return err
	})
}

// number gives a new friend the owner's next number.
func (c *change) number(f *friend) {
	b := c.books[f.owner]
	b.friendLast++
	b.listed(1)
	f.number = b.friendLast
}

// The tags of a friend's fields.
const (
	tagRemark  = "Tag_SNS_IM_Remark"
	tagGroup   = "Tag_SNS_IM_Group"
	tagSource  = "Tag_SNS_IM_AddSource"
	tagWording = "Tag_SNS_IM_AddWording"
	tagTime    = "Tag_SNS_IM_AddTime"
	tagCustom  = "Tag_SNS_Custom_"
)

// Field is a field of a friend as the interface has it: the Value is a text, a number, or a list of texts.
type Field struct {
	Tag   string   `json:"Tag"`
	Value wire.Raw `json:"Value"`
}

// What a friend's texts may hold at most, in bytes.
const (
	mostRemark  = 96
	mostWording = 256
	mostGroup   = 30
	mostCustom  = 500
)

// checkText refuses a text that is too long.
func checkText(name, text string, most int) error {
	if len(text) > most {
		return im.Errorf(im.CodeRelationParameter, "%s has %d bytes, at most %d", name, len(text), most)
	}
	return nil
}

// checkSource refuses what is no source of a friend.
func checkSource(source string) error {
	const prefix, most = "AddSource_Type_", 8
	word, ok := strings.CutPrefix(source, prefix)
	if !ok || word == "" || len(word) > most || strings.Trim(word, letters) != "" {
		return im.Errorf(im.CodeRelationParameter, "AddSource is %.40q: want %s and 1 to %d letters", source, prefix, most)
	}
	return nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// customOf reads a friend's fields of the application's own.
func customOf(text string) map[string]string {
	all := map[string]string{}
	_ = json.Unmarshal([]byte(text), &all) // this room wrote it
	return all
}

func customText(fields map[string]string) (string, error) {
	text, err := json.Marshal(fields)
	return string(text), err
}

// readCustom checks a field of the application's own.
func readCustom(declared []string, f Field) (key, value string, err error) {
	key, ok := strings.CutPrefix(f.Tag, tagCustom)
	if !ok || !slices.Contains(declared, key) {
		return "", "", im.Errorf(im.CodeRelationParameter, "no field %.60q of friends (the setting friend.custom_fields declares them)", f.Tag)
	}
	if err := wire.Unmarshal(f.Value, &value); err != nil || f.Value.Kind() != '"' {
		return "", "", im.Errorf(im.CodeRelationParameter, "%s wants text", f.Tag)
	}
	value = wire.Text(value)
	return key, value, checkText(f.Tag, value, mostCustom)
}

// fields writes a friend's fields.
func (f *friend) fields(groups *groupNames, declared []string) (all []Field, err error) {
	add := func(tag string, value any) {
		text, failed := wire.Marshal(value)
		all, err = append(all, Field{tag, text}), orElse(err, failed)
	}
	add(tagTime, f.added)
	add(tagSource, f.source)
	add(tagWording, f.wording)
	add(tagGroup, groups.of(f.groups))
	add(tagRemark, f.remark)
	own := customOf(f.custom)
	for _, key := range declared {
		if value, ok := own[key]; ok {
			add(tagCustom+key, value)
		}
	}
	return all, err
}

func orElse(first, second error) error {
	if first != nil {
		return first
	}
	return second
}
