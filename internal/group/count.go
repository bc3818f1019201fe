package group

import (
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

// mostGroups is how many groups of a type an application may have; 0 is any number.
var mostGroups = declareWith(func(t typeWord) *setting.Setting[int] {
	usual := 0
	if t.word == "community" {
		usual = 100_000
	}
	return setting.Int(setting.Spec[int]{
		Name: "group." + t.word + ".max", Default: usual, Low: 0, High: 100_000_000, Unit: "groups",
		Doc: t.word + " groups that the application may have; 0 bounds them not",
	})
}, room())

// count counts a new group among those of its type, or refuses it with an error, as something may be written already.
func (f *founding) count(tx *db.Tx) error {
	of := &f.group
	most := int64(mostGroups.Of(f.call.App, of.Type, 0))
	if most == 0 {
		return forgetCount(tx, of)
	}
	living := most + 1 // as long as nothing is returned
	err := tx.Returning(func(row db.Scanner) error { return row(&living) },
		`INSERT INTO group_count (app_id, type, living)
		SELECT $1, $2, COUNT(*) + 1 FROM chat_group WHERE app_id = $3 AND type = $4 AND deleted_at = 0
		ON CONFLICT (app_id, type) DO UPDATE SET living = group_count.living + 1 WHERE group_count.living < $5 RETURNING living`,
		int64(of.App), of.Type.String(), int64(of.App), of.Type.String(), most)
	if err != nil {
		return fmt.Errorf("count groups: %w", err)
	}
	if living > most {
		return im.Errorf(of.Type.tooMany(), "the application has %d groups of type %s, as many as it may", most, of.Type)
	}
	return nil
}

// tooMany is the code for more groups of the type than an application may have.
func (t Type) tooMany() im.Code {
	if t.Yes("reply.HugeGroupFlag") {
		return im.CodeGroupRooms
	}
	return im.CodeGroupMostGroups
}

// uncount takes a destroyed group out of the count.
func (c *change) uncount() error {
	if mostGroups.Of(c.call.App, c.group.Type, 0) == 0 {
		return forgetCount(c.tx, c.group)
	}
	_, err := c.tx.Exec(`UPDATE group_count SET living = living - 1 WHERE app_id = $1 AND type = $2`, int64(c.group.App), c.group.Type.String())
	return err
}

// forgetCount has the groups of a type counted anew once there is a bound for them again.
func forgetCount(tx *db.Tx, of *Group) error {
	_, err := tx.Exec(`DELETE FROM group_count WHERE app_id = $1 AND type = $2`, int64(of.App), of.Type.String())
	return err
}
