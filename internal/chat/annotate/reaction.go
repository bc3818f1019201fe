package annotate

import (
	"context"
	"errors"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

const (
	reactionFeature = "reaction"
	reactionBit     = 48 // of the features that clients ask for
)

// reactRequest adds or removes one account's reaction: at the client door its own.
type reactRequest struct {
	Naming
	Reaction string   `json:"Reaction"`
	Add      []string `json:"Add_Account"`
	Del      []string `json:"Del_Account"`
}

// reactionCommands are those of one kind of chat.
func (a *Annotations) reactionCommands(k Kind) []command.Command {
	spec := func(name, doc string) command.Spec {
		return command.Spec{
			Service: service, Name: k.Prefix + name, By: command.Administrator | command.Account, Family: im.FamilyGroup(),
			Feature: reactionBit, Codes: k.Codes, Doc: doc, Section: "wire.md#" + k.Section,
		}
	}
	return []command.Command{
		command.New(spec("reaction_add", "react to a message"),
			func(ctx context.Context, call *command.Call, r *reactRequest) (*command.None, error) {
				return nil, a.react(ctx, k, call, r, true)
			}),
		command.New(spec("reaction_del", "take a reaction to a message back"),
			func(ctx context.Context, call *command.Call, r *reactRequest) (*command.None, error) {
				return nil, a.react(ctx, k, call, r, false)
			}),
		command.New(spec("reaction_multi_stat", "tell how many reacted to messages with what"),
			func(ctx context.Context, call *command.Call, r *summariesRequest) (*summariesReply, error) {
				return a.summaries(ctx, k, call, r)
			}),
		command.New(spec("reaction_iterate", "list who reacted to a message with something"),
			func(ctx context.Context, call *command.Call, r *reactorsRequest) (*reactorsReply, error) {
				return a.reactors(ctx, k, call, r)
			}),
	}
}

// reacting is a reaction that comes or goes.
type reacting struct {
	at       Chat
	by       Caller
	naming   *Naming
	reaction string
	added    bool

	message *chat.Message
	changed bool
}

// react changes nothing for whoever had reacted so already, or had not: clients repeat requests.
func (a *Annotations) react(ctx context.Context, k Kind, call *command.Call, r *reactRequest, added bool) error {
	one, err := a.reactionOf(ctx, k, call, r, added)
	if err != nil {
		return err
	}
	err = a.change(ctx, func(tx *db.Tx) error { return a.apply(ctx, tx, one) })
	if err != nil || !one.changed {
		return err
	}
	a.announce(ctx, one)
	return nil
}

// mostReactionBytes bounds what names a reaction.
const mostReactionBytes = 128

func checkReaction(name *string) error {
	*name = wire.Text(*name)
	if *name == "" || len(*name) > mostReactionBytes {
		return im.Errorf(im.CodeGroupParameter, "Reaction has %d bytes: want 1 to %d", len(*name), mostReactionBytes)
	}
	return nil
}

func (a *Annotations) reactionOf(ctx context.Context, k Kind, call *command.Call, r *reactRequest, added bool) (*reacting, error) {
	if err := mayReact(call); err != nil {
		return nil, err
	}
	if err := checkReaction(&r.Reaction); err != nil {
		return nil, err
	}
	who, field := r.Add, "Add_Account"
	if !added {
		who, field = r.Del, "Del_Account"
	}
	by := callerOf(call, reactionFeature)
	switch {
	case call.Admin() && len(who) != 1:
		return nil, im.Errorf(im.CodeGroupParameter, "%s names %d accounts: want one", field, len(who))
	case call.Admin():
		one, err := a.account(ctx, call, who[0])
		if err != nil {
			return nil, err
		}
		by.As = one.ID
	case len(who) > 1 || len(who) == 1 && who[0] != call.UserID:
		return nil, im.Errorf(im.CodeGroupParameter, "%s names another account: a client reacts for its own", field)
	}
	at, err := k.Open(ctx, by, &r.Naming)
	return &reacting{at: at, by: by, naming: &r.Naming, reaction: r.Reaction, added: added}, err
}

// account finds the account that a back end names.
func (a *Annotations) account(ctx context.Context, call *command.Call, userID string) (account.Account, error) {
	found, err := a.Accounts.Find(ctx, call.App.ID, userID)
	if errors.Is(err, account.ErrUnknown) {
		return found, im.Errorf(im.CodeGroupAccount, "account %.40q does not exist", userID)
	}
	return found, err
}

func mayReact(call *command.Call) error {
	if !reactionsOn.Of(call.App) {
		return im.Errorf(im.CodeGroupRequest, "reactions are off in this application: see the setting message.reactions")
	}
	return nil
}

// apply stores the change.
func (a *Annotations) apply(ctx context.Context, tx *db.Tx, r *reacting) (err error) {
	r.changed = false
	if r.message, err = find(ctx, tx, r.at, r.naming); err != nil {
		return err
	}
	if r.message == nil {
		return r.at.Unknown(r.naming.one()[0])
	}
	held, err := a.lockOne(ctx, tx, r.message)
	switch {
	case err != nil:
		return err
	case held == nil:
		return r.at.Unknown(r.naming.one()[0])
	case !r.added:
		n, err := tx.Exec(`DELETE FROM reaction WHERE message_id = $1 AND reaction = $2 AND account_id = $3`,
			r.message.ID, r.reaction, int64(r.by.As))
		r.changed = n > 0
		return err
	}
	return r.add(ctx, tx, held)
}

// What a message holds at most, by the interface.
const (
	mostReactions = 10
	mostReactors  = 100
)

// add stores a reaction, unless it is there.
func (r *reacting) add(ctx context.Context, tx *db.Tx, held *row) error {
	counts := map[string]int64{}
	there := false
	err := db.Each(ctx, tx, func(scan db.Scanner) error {
		var (
			reaction string
			n, own   int64
		)
		err := scan(&reaction, &n, &own)
		counts[reaction] = n
		there = there || reaction == r.reaction && own > 0
		return err
	}, `SELECT reaction, COUNT(*), SUM(CASE WHEN account_id = $2 THEN 1 ELSE 0 END) FROM reaction WHERE message_id = $1 GROUP BY reaction`,
		r.message.ID, int64(r.by.As))
	switch {
	case err != nil || there:
		return err
	case counts[r.reaction] == 0 && len(counts) >= mostReactions:
		return im.Errorf(im.CodeGroupParameter, "the message has %d different reactions already", len(counts))
	case counts[r.reaction] >= mostReactors:
		return im.Errorf(im.CodeGroupParameter, "%d accounts reacted so already", counts[r.reaction])
	}
	r.changed = true
	if _, err := tx.Exec(`UPDATE annotation SET reacted = $1 WHERE message_id = $2`, held.reacted+1, held.message); err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO reaction (message_id, reaction, account_id, number) VALUES ($1, $2, $3, $4)`,
		held.message, r.reaction, int64(r.by.As), held.reacted+1)
	return err
}

// announce tells the account's other devices what it did, and then everybody how many reacted so now. The acting device is told
// too: its client waits for it.
func (a *Annotations) announce(ctx context.Context, r *reacting) {
	known, err := r.at.Known(ctx, r.message)
	if err != nil {
		a.warn(r.message.Chat, err)
		return
	}
	own := ownReaction{OneToOne: known.OneToOne, Group: known.Group, Reaction: r.reaction, Change: reactionRemoved}
	if r.added {
		own.Change = reactionAdded
	}
	told, err := r.at.Told(ctx, r.message)
	if err != nil {
		a.warn(r.message.Chat, err)
		return
	}
	a.Tell(r.message.Chat, func() {
		a.push(r.message.Chat, ownReactions.Of(own), event.Devices(r.by.As).Except(r.by.Device))
		now, err := a.summary(ctx, r)
		if err != nil {
			a.warn(r.message.Chat, err)
			return
		}
		a.push(r.message.Chat, newReactions.Of([]reactionEvent{{known.OneToOne, known.Group, []Summary{now}}}), told...)
	})
}

// summary is what became of a reaction.
func (a *Annotations) summary(ctx context.Context, r *reacting) (Summary, error) {
	all, err := a.summarize(ctx, a.DB, question{messages: []int64{r.message.ID}, users: usualReactors})
	if err != nil {
		return Summary{}, err
	}
	for _, one := range all[r.message.ID] {
		if one.Reaction == r.reaction {
			one.Own = nil // which each client knows of itself
			return one, nil
		}
	}
	return Summary{Reaction: r.reaction, Users: []string{}}, nil
}
