package group

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// joinRequest is an account that waits for a decision on whether it becomes a member.
type joinRequest struct {
	group            int64
	account, inviter im.AccountID // the inviter is 0 of whoever asks for himself
	text             string
	asked            int64 // unix milliseconds
	decided          bool
}

const requestColumns = `r.group_id, r.account_id, r.inviter_id, r.text, r.asked_at, r.decided_at`

func scanRequest(row db.Scanner) (*joinRequest, error) {
	var (
		r       joinRequest
		decided int64
	)
	err := row(&r.group, &r.account, &r.inviter, &r.text, &r.asked, &decided)
	r.decided = decided > 0
	return &r, err
}

// waitAdminApproval is the outcome of joining a group whose administrators decide.
const waitAdminApproval = "WaitAdminApproval"

// mostRequestBytes bounds what somebody says with his request.
const mostRequestBytes = 1000

// ask stores requests to join. The newest request of an account in a group takes the older one's place, and the oldest of an
// account that has too many is dropped.
func (g *Groups) ask(c *change, asking []account.Account, inviter im.AccountID, text string) error {
	now, numbers := c.tx.Now().UnixMilli(), make([]im.AccountID, len(asking))
	for i, one := range asking {
		numbers[i] = one.ID
	}
	_, err := c.tx.Exec(`INSERT INTO join_request (group_id, account_id, inviter_id, text, asked_at, decided_at)
		SELECT CAST($1 AS BIGINT), a.id, CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS BIGINT), 0 FROM account a
		WHERE a.id IN ($5...) ORDER BY a.id
		ON CONFLICT (group_id, account_id) DO UPDATE SET inviter_id = excluded.inviter_id, text = excluded.text,
		asked_at = excluded.asked_at, decided_at = 0`, c.group.ID, int64(inviter), text, now, db.Ints(numbers))
	if err != nil {
		return err
	}
	_, err = c.tx.Exec(`DELETE FROM join_request WHERE account_id IN ($1...) AND (asked_at <= $2 OR decided_at = 0 AND
		(SELECT COUNT(*) FROM join_request n WHERE n.account_id = join_request.account_id AND n.decided_at = 0
		AND n.asked_at > join_request.asked_at) >= $3)`, db.Ints(numbers), c.expired(), c.group.Type.openRequests())
	if err != nil {
		return err
	}
	return g.tell(c, Happening{
		Kind: HappenedAsked, Tip: TipNone, Targets: asking, Applied: inviter == 0, Reason: text, Key: now,
	})
}

// expired is when requests were made, in unix milliseconds, that nobody decides on any more.
func (c *change) expired() int64 { return c.group.Type.requestsSince(c.tx.Now()) }

// requestsSince is the moment from which on requests are still open.
func (t Type) requestsSince(now time.Time) int64 {
	return now.AddDate(0, 0, -int(cmp.Or(t.Number("join.pending.ttl_days"), usualDays))).UnixMilli()
}

// openRequests is how many open requests an account has at most.
func (t Type) openRequests() int64 {
	return cmp.Or(t.Number("join.pending.max_per_user"), usualRequests)
}

// What holds for the invitations of a type that nobody asks to join, of which the table says nothing.
const (
	usualDays     = 7
	usualRequests = 50
)

// settled takes back the requests of accounts that became members.
func (c *change) settled(accounts []im.AccountID) error {
	_, err := c.tx.Exec(`DELETE FROM join_request WHERE group_id = $1 AND account_id IN ($2...)`, c.group.ID, db.Ints(accounts))
	return err
}

type decideRequest struct {
	GroupID   string      `json:"GroupId"`
	Applicant string      `json:"Applicant_Account"` // who asked: of an invitation the inviter
	Invited   string      `json:"Invited_Account"`
	Decision  string      `json:"HandleMsg"`
	Text      string      `json:"ApprovalMsg"`
	Key       wire.Number `json:"MsgKey"`
	Proof     string      `json:"Authentication"`
}

// names reports whether the decision is on that request: an invitation is named by its Authentication alone.
func (r *decideRequest) names(open *joinRequest) bool {
	return int64(r.Key) == open.asked || r.Key == 0 && r.Proof == open.proof()
}

// proof is the Authentication of a request, which is not secret: the right to decide is checked anew.
func (r *joinRequest) proof() string { return strconv.FormatInt(r.asked, 10) }

func (g *Groups) decideCommands() []command.Command {
	spec := command.Spec{
		Service: service, Name: "handle_apply_join_group", Also: []string{millionService}, By: command.Account, Family: im.FamilyGroup(),
		Doc: "decide on somebody who asks to join a group", Section: "wire.md#group-life-cycle",
	}
	invited := spec
	invited.Name, invited.Doc = "handle_invite_join_permission_group", "decide on somebody whom a member would add to a group"
	return []command.Command{
		command.New(spec, func(ctx context.Context, call *command.Call, r *decideRequest) (*command.None, error) {
			return nil, g.decide(ctx, call, r, r.Applicant)
		}),
		command.New(invited, func(ctx context.Context, call *command.Call, r *decideRequest) (*command.None, error) {
			return nil, g.decide(ctx, call, r, r.Invited)
		}),
	}
}

func (g *Groups) decide(ctx context.Context, call *command.Call, r *decideRequest, userID string) error {
	if r.Decision != "Agree" && r.Decision != "Reject" {
		return im.Errorf(im.CodeGroupParameter, "HandleMsg is %.20q: want Agree or Reject", r.Decision)
	}
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return err
	}
	who, err := g.account(ctx, call, userID)
	if err != nil {
		return err
	}
	return g.change(ctx, call, of, []im.AccountID{who.ID}, func(c *change) (refused, err error) {
		open, err := c.openRequest(who.ID)
		switch {
		case err != nil:
			return nil, err
		case !c.mayDecide(open):
			return errRights(of, "decide on who joins"), nil
		case open == nil || open.decided || !r.names(open):
			return im.Errorf(im.CodeGroupHandled, "there is no open request of %.40q with this MsgKey or Authentication", userID), nil
		case r.Decision == "Reject":
			return nil, g.reject(c, who, open, wire.Text(r.Text))
		}
		return g.approve(c, who, open, wire.Text(r.Text))
	})
}

// mayDecide reports whether the asking one decides on requests, of which those of members have a rule of their own.
func (c *change) mayDecide(open *joinRequest) bool {
	if open != nil && open.inviter != 0 {
		return c.may("invite.pending.who_decides")
	}
	return c.may("join.pending.who_decides") || open == nil && c.may("invite.pending.who_decides")
}

// openRequest reads an account's request in the group; nil: it has none, or it is too old.
func (c *change) openRequest(who im.AccountID) (*joinRequest, error) {
	found, err := db.One(c.ctx, c.tx, scanRequest, `SELECT `+requestColumns+` FROM join_request r
		WHERE r.group_id = $1 AND r.account_id = $2 AND r.asked_at > $3`, c.group.ID, int64(who), c.expired())
	if errors.Is(err, db.ErrNotFound) {
		return nil, nil //nolint:nilnil // nil is the answer
	}
	return found, err
}

// approve makes the account a member.
func (g *Groups) approve(c *change, who account.Account, open *joinRequest, text string) (refused, err error) {
	already, err := g.Member(c.ctx, c.tx, c.group.ID, who.ID)
	if err != nil {
		return nil, err
	}
	if refused, err := g.refuseEntering(c, who, already); refused != nil || err != nil {
		return refused, err
	}
	applied, rule, joinType := open.inviter == 0, "tip.1.join.approved_by_admin", "Apply"
	if !applied {
		rule, joinType = "tip.1.join.invited", "Invited"
	}
	// Clients read the group when they hear of the decision, so they hear of it before all else.
	if err := g.tell(c, c.decided(HappenedApproved, who, open, text)); err != nil {
		return nil, err
	}
	tip := Happening{Applied: applied, Tip: c.group.Type.tipMode(c.call.App, rule, false)}
	if err := g.enter(c, []account.Account{who}, tip, joinType); err != nil {
		return nil, err
	}
	// The row comes back as a decided one, for the next who decides.
	_, err = c.tx.Exec(`INSERT INTO join_request (group_id, account_id, inviter_id, text, asked_at, decided_at)
		VALUES ($1, $2, $3, '', $4, $5)`, c.group.ID, int64(who.ID), int64(open.inviter), open.asked, c.tx.Now().UnixMilli())
	return nil, err
}

func (g *Groups) reject(c *change, who account.Account, open *joinRequest, text string) error {
	_, err := c.tx.Exec(`UPDATE join_request SET decided_at = $3 WHERE group_id = $1 AND account_id = $2`,
		c.group.ID, int64(who.ID), c.tx.Now().UnixMilli())
	if err != nil {
		return err
	}
	return g.tell(c, c.decided(HappenedRejected, who, open, text))
}

func (c *change) decided(kind HappeningKind, who account.Account, open *joinRequest, text string) Happening {
	return Happening{
		Kind: kind, Tip: TipNone, Targets: []account.Account{who}, Applied: open.inviter == 0, Inviter: open.inviter, Reason: text, Key: open.asked,
	}
}

type pendingRequest struct {
	Start wire.Number `json:"StartTime"`
	Limit wire.Number `json:"Limit"`
}

// The kinds of requests on the wire.
const (
	pendencyApplied = 0
	pendencyInvited = 2
)

type pendency struct {
	From    string    `json:"From_Account"`
	To      string    `json:"To_Account"`
	GroupID string    `json:"GroupId"`
	Name    string    `json:"GroupName"`
	Time    int64     `json:"Time"`
	Proof   string    `json:"Authentication"`
	Handled wire.Bool `json:"Handled"`
	Nick    string    `json:"FromUserNickName"`
	Text    string    `json:"ApplyInviteMsg"`
	Kind    int       `json:"PendencyType"`
}

type pendingReply struct {
	List []pendency `json:"PendencyList"`
	Next int64      `json:"NextStartTime"`
}

func (g *Groups) pendingCommands() []command.Command {
	var all []command.Command
	for _, name := range []string{service, millionService} {
		all = append(all, command.New(command.Spec{
			Service: name, Name: "get_pendency", By: command.Account, Family: im.FamilyGroup(),
			Doc: "list who asks to join the groups that one decides for", Section: "wire.md#group-life-cycle",
		}, func(ctx context.Context, call *command.Call, r *pendingRequest) (*pendingReply, error) {
			return g.pending(ctx, call, r, name)
		}))
	}
	return all
}

// pending lists open requests, the oldest first. A page ends where the millisecond changes, as the next one begins behind it.
func (g *Groups) pending(ctx context.Context, call *command.Call, r *pendingRequest, service string) (*pendingReply, error) {
	const most = 100
	limit := int64(most)
	if r.Limit > 0 {
		limit = min(int64(r.Limit), most)
	}
	found, err := db.All(ctx, g.db, scanRequest, `SELECT `+requestColumns+` FROM group_member m JOIN join_request r ON r.group_id = m.group_id
		WHERE m.account_id = $1 AND m.role >= $2 AND r.decided_at = 0 AND r.asked_at > $3 ORDER BY r.asked_at, r.group_id, r.account_id
		LIMIT $4`, int64(call.Account), int64(Admin), max(int64(r.Start), Type{}.requestsSince(g.db.Now())), mostPerPage)
	if err != nil {
		return nil, fmt.Errorf("read requests to join: %w", err)
	}
	groups, err := g.byNumber(ctx, found)
	if err != nil {
		return nil, err
	}
	var listed []*joinRequest
	reply := &pendingReply{List: []pendency{}}
	if len(found) == mostPerPage {
		reply.Next = found[len(found)-1].asked
	}
	for _, one := range found {
		of := groups[one.group]
		if of == nil || of.Type.Rule("service.client") != service || one.asked <= of.Type.requestsSince(g.db.Now()) {
			continue
		}
		if n := len(listed); int64(n) >= limit && one.asked != listed[n-1].asked {
			reply.Next = listed[n-1].asked
			break
		}
		listed = append(listed, one)
	}
	return reply, g.addPending(ctx, call, reply, listed, groups)
}

// byNumber reads the groups of requests.
func (g *Groups) byNumber(ctx context.Context, requests []*joinRequest) (map[int64]*Group, error) {
	numbers := make([]int64, len(requests))
	for i, one := range requests {
		numbers[i] = one.group
	}
	rows, err := db.All(ctx, g.db, g.scan, `SELECT `+groupColumns+` FROM chat_group WHERE id IN ($1...) AND deleted_at = 0`, db.Ints(numbers))
	found := make(map[int64]*Group, len(rows))
	for _, one := range rows {
		found[one.ID] = one
	}
	return found, err
}

// addPending writes requests with the names of those whom they are about.
func (g *Groups) addPending(
	ctx context.Context, call *command.Call, reply *pendingReply, listed []*joinRequest, groups map[int64]*Group,
) error {
	var numbers []im.AccountID
	for _, one := range listed {
		numbers = append(numbers, one.account, one.inviter)
	}
	names, err := g.accounts.ByID(ctx, g.db, numbers)
	for _, one := range listed {
		info := pendency{
			From: names[one.account].UserID, Nick: names[one.account].Nick, To: call.UserID, GroupID: groups[one.group].GroupID,
			Name: groups[one.group].Name, Time: one.asked, Proof: one.proof(), Text: one.text, Kind: pendencyApplied,
		}
		if one.inviter != 0 {
			info.From, info.Nick, info.To, info.Kind = names[one.inviter].UserID, names[one.inviter].Nick, names[one.account].UserID, pendencyInvited
		}
		reply.List = append(reply.List, info)
	}
	return err
}
