package group

import (
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/internal/webhook"
)

var dailyGrowth = setting.Int(setting.Spec[int]{
	Name: "group.daily_new", Default: 0, Low: 0, High: 10_000_000, Unit: "groups",
	Doc: "groups that the application may have more at the end of a day, in UTC, than at its beginning; 0 bounds them not. Communities and " +
		"imported groups do not count",
})

// afterGrowth is told when the groups of a day come near the bound, and when they reach it.
var afterGrowth = webhook.NewAfter[growthBody](webhook.Spec{
	Command: "Group.CallbackOnDailyGroupQuotaAlarm", Doc: "the groups that are new on a day come near their bound, or reach it",
	Section: "webhooks.md#groupcallbackondailygroupquotaalarm",
})

type growthBody struct {
	Used      int64 `json:"QuotaUsed"`
	Most      int64 `json:"Quota"`
	EventTime int64 `json:"EventTime"` // unix milliseconds
}

// growth reports whether a group counts among those of its day, and gives the bound.
func (f *founding) growth() (most int64, counted bool) {
	most = int64(dailyGrowth.Of(f.call.App))
	return most, most > 0 && !f.imported && f.group.Type.Yes("create.quota.daily_net_counts")
}

// day is the day of a transaction.
func day(tx *db.Tx) int64 {
	const seconds = 86_400
	return tx.Now().Unix() / seconds
}

// grow counts a new group among those of its day, or refuses it. It is the first thing that is written of the group.
func (g *Groups) grow(tx *db.Tx, f *founding) (refused, err error) {
	most, counted := f.growth()
	if !counted {
		return nil, nil
	}
	used, within := int64(0), false
	err = tx.Returning(func(row db.Scanner) error {
		within = true
		return row(&used)
	},
		`INSERT INTO group_growth (app_id, day, more) VALUES ($1, $2, 1) ON CONFLICT (app_id, day) DO UPDATE
		SET more = group_growth.more + 1 WHERE group_growth.more < $3 RETURNING more`, int64(f.group.App), day(tx), most)
	if err != nil {
		return nil, err
	}
	if !within {
		return im.Errorf(im.CodeGroupGrowth, "the application has %d groups more than at the beginning of the day, as many as it may", most), nil
	}
	// Four fifths are near.
	const near, of = 4, 5
	if used != most && used != (most*near+of-1)/of {
		return nil, nil
	}
	return nil, afterGrowth.Tell(tx, g.hooks, &f.call.Actor, int64(f.group.App), func() (growthBody, error) {
		return growthBody{used, most, tx.Now().UnixMilli()}, nil
	})
}

// shrink takes a destroyed group out of the count of its day.
func (c *change) shrink() error {
	if dailyGrowth.Of(c.call.App) == 0 || !c.group.Type.Yes("create.quota.daily_net_counts") {
		return nil
	}
	_, err := c.tx.Exec(`INSERT INTO group_growth (app_id, day, more) VALUES ($1, $2, -1) ON CONFLICT (app_id, day) DO UPDATE
		SET more = group_growth.more - 1`, int64(c.group.App), day(c.tx))
	if err != nil {
		return err
	}
	_, err = c.tx.Exec(`DELETE FROM group_growth WHERE app_id = $1 AND day < $2`, int64(c.group.App), day(c.tx))
	return err
}
