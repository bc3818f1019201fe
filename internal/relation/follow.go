package relation

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// featureFollow is the bit of following.
const featureFollow = 52

func (r *Relations) followCommands() []command.Command {
	return []command.Command{
		command.New(followSpec("follow_add", "follow accounts"), r.follow),
		command.New(followSpec("follow_delete", "follow accounts no more"), r.unfollow),
		command.New(followSpec("follow_get", "page through whom an account follows, or who follows it"), r.follows),
		command.New(followSpec("follow_check", "tell who follows whom"), r.followCheck),
		command.New(followSpec("follow_get_info", "count whom accounts follow, and who follows them"), r.followCounts),
	}
}

func followSpec(name, doc string) command.Spec {
	s := spec(name, doc, "rest.md#"+name, both)
	s.Service, s.Feature = "follow", featureFollow
	return s
}

// mostFollowed is how many accounts one call follows, leaves or counts at most.
const mostFollowed = 20

// follower finds the account whose follows are asked for, where the application has them.
func (r *Relations) follower(ctx context.Context, call *command.Call, userID string) (account.Account, error) {
	if !followOn.Of(call.App) {
		return account.Account{}, im.Errorf(im.CodeFollowOff, "following is switched off (the application's setting follow.enabled)")
	}
	return r.owner(ctx, call, userID)
}

// followed finds the accounts that a request names.
func (r *Relations) followed(ctx context.Context, call *command.Call, names []string, most int) (map[string]account.Account, error) {
	if len(names) == 0 || len(names) > most {
		return nil, im.Errorf(im.CodeRelationParameter, "%d accounts in one call: want 1 to %d", len(names), most)
	}
	return r.Accounts.FindManyEver(ctx, call.App.ID, names)
}

type followRequest struct {
	From    string `json:"From_Account"`
	Follows []struct {
		To string `json:"To_Account"`
	} `json:"FollowItem"`
}

func (r *Relations) follow(ctx context.Context, call *command.Call, q *followRequest) (*resultReply, error) {
	names := make([]string, len(q.Follows))
	for i, one := range q.Follows {
		names[i] = one.To
	}
	return r.onFollows(ctx, call, q.From, names, func(c *change, named map[string]account.Account) ([]result, error) {
		results, fresh, err := c.follow(named, each(names))
		if err != nil || len(fresh) == 0 {
			return results, err
		}
		return results, afterFollow.Tell(c.tx, r.Hooks, &call.Actor, int64(c.owner.ID), func() (followedBody, error) {
			body := followedBody{From: c.owner.UserID, EventTime: c.tx.Now().UnixMilli()}
			for _, one := range fresh {
				body.Follows = append(body.Follows, followedName{one.UserID})
			}
			return body, nil
		})
	})
}

// onFollows changes whom an account follows, of those that a request names.
func (r *Relations) onFollows(
	ctx context.Context, call *command.Call, from string, names []string, do func(*change, map[string]account.Account) ([]result, error),
) (*resultReply, error) {
	owner, err := r.follower(ctx, call, from)
	if err != nil {
		return nil, err
	}
	named, err := r.followed(ctx, call, names, mostFollowed)
	if err != nil {
		return nil, err
	}
	return r.changeNamed(ctx, call, owner, named, func(c *change) ([]result, error) { return do(c, named) })
}

const (
	followingQuery = `SELECT followed_id FROM follow WHERE follower_id = $1 AND followed_id IN ($2...)`
	followersQuery = `SELECT follower_id FROM follow WHERE followed_id = $1 AND follower_id IN ($2...)`
)

// follow writes the rows that are missing, and returns whose they are.
func (c *change) follow(named map[string]account.Account, names []string) (results []result, fresh []account.Account, err error) {
	ids := make([]im.AccountID, 0, len(named))
	for _, one := range named {
		ids = append(ids, one.ID)
	}
	has, err := flags(c.ctx, c.tx, followingQuery, c.owner.ID, ids)
	if err != nil {
		return nil, nil, err
	}
	back, err := flags(c.ctx, c.tx, followersQuery, c.owner.ID, ids)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		one, done := named[name], result{To: name}
		switch most := int64(maxFollowing.Of(c.call.App)); {
		case c.gone(one.ID):
			done.refuse(errUnknown(name))
		case one.ID == c.owner.ID:
			done.refuse(im.Errorf(im.CodeRelationParameter, "nobody follows himself"))
		case has[one.ID]:
		case c.book().following >= most:
			done.refuse(im.Errorf(im.CodeFriendsFull, "the account follows %d others, as many as it may", most))
		default:
			fresh = append(fresh, one)
			c.followed(one, back[one.ID], 1)
		}
		results = append(results, done)
	}
	return results, fresh, c.putFollows(fresh, back)
}

// followed counts a follow that begins (1) or ends (-1), and tells both sides.
func (c *change) followed(other account.Account, mutual bool, by int64) {
	mine, theirs := c.book(), c.books[other.ID]
	mine.following += by
	theirs.followers += by
	c.news.followed(c.owner.ID, other, following, by)
	c.news.followed(other.ID, c.owner, followers, by)
	if mutual {
		mine.mutual += by
		theirs.mutual += by
		c.news.followed(c.owner.ID, other, mutually, by)
		c.news.followed(other.ID, c.owner, mutually, by)
	}
}

func (c *change) putFollows(fresh []account.Account, back map[im.AccountID]bool) error {
	const width = 5
	err := db.Chunks(c.tx, width, fresh, func(chunk []account.Account) error {
		args := make([]any, 0, width*len(chunk))
		for _, one := range chunk {
			args = append(args, int64(c.owner.ID), int64(one.ID), c.tx.NextID(), back[one.ID], c.tx.Now().Unix())
		}
		_, err := c.tx.Exec(`INSERT INTO follow (follower_id, followed_id, number, mutual, followed_at) VALUES `+
			db.RowsOf(len(chunk), `(?,?,?,?,?)`), args...)
		return err
	})
	if err != nil {
		return err
	}
	_, err = c.tx.Exec(`UPDATE follow SET mutual = TRUE WHERE followed_id = $1 AND follower_id IN ($2...)`, int64(c.owner.ID), db.Ints(idsOf(fresh)))
	return err
}

type unfollowRequest struct {
	From string   `json:"From_Account"`
	To   []string `json:"To_Account"`
}

func (r *Relations) unfollow(ctx context.Context, call *command.Call, q *unfollowRequest) (*resultReply, error) {
	return r.onFollows(ctx, call, q.From, q.To, func(c *change, named map[string]account.Account) ([]result, error) {
		results, left, err := c.unfollow(named, each(q.To))
		if err != nil || len(left) == 0 {
			return results, err
		}
		return results, afterUnfollow.Tell(c.tx, r.Hooks, &call.Actor, int64(c.owner.ID), func() (unfollowedBody, error) {
			return unfollowedBody{c.owner.UserID, left, c.tx.Now().UnixMilli()}, nil
		})
	})
}

func (c *change) unfollow(named map[string]account.Account, names []string) (results []result, left []string, err error) {
	ids := make([]im.AccountID, 0, len(named))
	for _, one := range named {
		ids = append(ids, one.ID)
	}
	taken, err := c.take(`DELETE FROM follow WHERE follower_id = $1 AND followed_id IN ($2...) RETURNING followed_id`, c.owner.ID, ids)
	if err != nil {
		return nil, nil, err
	}
	back, err := c.take(`UPDATE follow SET mutual = FALSE WHERE followed_id = $1 AND follower_id IN ($2...) AND mutual RETURNING follower_id`,
		c.owner.ID, ids)
	for _, name := range names {
		one, known := named[name]
		done := result{To: name}
		switch {
		case !known:
			done.refuse(errUnknown(name))
		case taken[one.ID]:
			left = append(left, name)
			c.followed(one, back[one.ID], -1)
		}
		results = append(results, done)
	}
	return results, left, err
}
