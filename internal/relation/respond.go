package relation

import (
	"context"
	"maps"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// The values of ResponseAction.
const (
	agree       = "Response_Action_Agree"       // the other may have this account as a friend
	agreeAndAdd = "Response_Action_AgreeAndAdd" // and this account has the other too
	reject      = "Response_Action_Reject"
)

// response is an account's answer to another's request.
type response struct {
	To     string `json:"To_Account"`
	Remark string `json:"Remark"`
	Group  string `json:"TagName"`
	Action string `json:"ResponseAction"`
}

type respondRequest struct {
	Responses []response `json:"ResponseFriendItem"`
}

func (r *Relations) respondCommand() command.Command {
	return command.New(spec("friend_response", "answer requests to become friends", "wire.md#friends", command.Account), r.respond)
}

// responding is an account that answers requests.
type responding struct {
	owner     account.Account
	responses []response
	named     map[string]account.Account
	said      verdicts
	results   []result
	pairs     []addedPair
}

func (r *Relations) respond(ctx context.Context, call *command.Call, q *respondRequest) (*resultReply, error) {
	owner, err := r.owner(ctx, call, "")
	if err != nil {
		return nil, err
	}
	p := &responding{owner: owner, responses: q.Responses}
	names := make([]string, len(q.Responses))
	for i := range q.Responses {
		if err := q.Responses[i].check(); err != nil {
			return nil, err
		}
		names[i] = q.Responses[i].To
	}
	if p.named, err = r.peers(ctx, call, names); err != nil {
		return nil, err
	}
	if p.said, err = r.askResponse(ctx, call, owner, q.Responses); err != nil {
		return nil, err
	}
	var others []account.Account
	for _, name := range each(names) {
		if one, ok := p.named[name]; ok && one.ID != owner.ID {
			others = append(others, one)
		}
	}
	err = r.change(ctx, call, owner, others, func(c *change) error { return r.respondAll(c, p, idsOf(others)) })
	if err != nil {
		return nil, err
	}
	return replyOf(p.results), nil
}

func (s *response) check() error {
	if !slices.Contains([]string{agree, agreeAndAdd, reject}, s.Action) {
		return im.Errorf(im.CodeRelationParameter, "ResponseAction is %.40q: want %s, %s or %s", s.Action, agree, agreeAndAdd, reject)
	}
	s.Remark, s.Group = wire.Text(s.Remark), wire.Text(s.Group)
	return orElse(checkText("Remark", s.Remark, mostRemark), checkText("TagName", s.Group, mostGroup))
}

func (r *Relations) respondAll(c *change, p *responding, ids []im.AccountID) error {
	p.results, p.pairs = []result{}, nil
	with, err := r.between(c, ids)
	if err != nil {
		return err
	}
	var (
		made    []*friend
		settled []*friendRequest
	)
	for _, one := range p.responses {
		answered := result{To: one.To}
		some, why := p.answer(c, with, one)
		if _, ok := im.Refusal(why); why != nil && !ok {
			return why
		}
		answered.refuse(why)
		if peer := p.named[one.To]; why == nil {
			settled = append(settled, with.settledBy(peer.ID, some)...)
			delete(with.asking, peer.ID)
			c.news.gone(peer, c.owner)
		}
		made = append(made, some...)
		p.results = append(p.results, answered)
	}
	err = c.putFriends(made)
	err = orElse(err, c.dropRequests(settled))
	return orElse(err, r.tellAdded(c, "friend_response", 0, p.pairs))
}

// settledBy are the requests that an answer settles: the one that is answered, and the owner's own to the same account when it
// has that one as a friend now.
func (b *between) settledBy(peer im.AccountID, made []*friend) []*friendRequest {
	all := []*friendRequest{b.asking[peer]}
	if own := b.asked[peer]; own != nil && slices.ContainsFunc(made, func(f *friend) bool { return f.owner == own.from }) {
		all = append(all, own)
	}
	return all
}

// answer makes the friends that an answer brings.
func (p *responding) answer(c *change, with *between, one response) ([]*friend, error) {
	peer := p.named[one.To]
	asked := with.asking[peer.ID]
	switch {
	case p.said[one.To] != nil:
		return nil, p.said[one.To]
	case asked == nil:
		return nil, im.Errorf(im.CodeFriendNoRequest, "%.40q has not asked", one.To)
	case one.Action == reject:
		return nil, nil
	case c.gone(peer.ID):
		return nil, errUnknown(one.To)
	}
	most := int64(maxFriends.Of(c.call.App))
	theirs, mine := !with.theirs[peer.ID], one.Action == agreeAndAdd && with.mine[peer.ID] == nil
	if theirs && c.books[peer.ID].friends >= most {
		return nil, im.Errorf(im.CodeFriendsPeerFull, "the other has his %d friends", most)
	}
	if mine && c.book().friends >= most {
		return nil, im.Errorf(im.CodeFriendsFull, "the account has its %d friends", most)
	}
	var made []*friend
	if mine {
		f := &friend{owner: p.owner.ID, id: peer.ID, remark: one.Remark, source: asked.source, wording: asked.wording, custom: "{}"}
		if one.Group != "" {
			var err error
			if f.groups, err = c.groupBits(p.owner.ID, with.groups[p.owner.ID], one.Group); err != nil {
				return nil, err
			}
		}
		made = append(made, p.enlist(c, f, p.owner, peer, peer))
	}
	if theirs {
		f := &friend{owner: peer.ID, id: p.owner.ID, remark: asked.remark, source: asked.source, wording: asked.wording, custom: "{}"}
		if asked.group != "" {
			bit, err := c.groupBits(peer.ID, with.groups[peer.ID], asked.group)
			if _, full := im.Refusal(err); err != nil && !full { // what the other has no room for is no matter of this account's
				return nil, err
			}
			f.groups = bit
		}
		made = append(made, p.enlist(c, f, peer, p.owner, peer))
	}
	return made, nil
}

// enlist completes a new row of an owner's list.
func (p *responding) enlist(c *change, f *friend, owner, other, initiator account.Account) *friend {
	f.added = c.tx.Now().Unix()
	c.number(f)
	p.pairs = append(p.pairs, addedPair{pair{owner.UserID, other.UserID}, initiator.UserID})
	c.news.added(owner.ID, other)
	return f
}

type dropRequest struct {
	Kind string   `json:"PendencyType"`
	To   []string `json:"To_Account"`
}

func (r *Relations) dropRequestCommand() command.Command {
	return command.New(spec("pendency_delete", "delete requests to become friends", "wire.md#friends", command.Account), r.dropRequest)
}

// dropRequest deletes requests of one kind. The other side does not see them any more either.
func (r *Relations) dropRequest(ctx context.Context, call *command.Call, q *dropRequest) (*resultReply, error) {
	if q.Kind != kindReceived && q.Kind != kindSent {
		return nil, im.Errorf(im.CodeRelationParameter, "PendencyType is %.40q: want %s or %s", q.Kind, kindReceived, kindSent)
	}
	owner, err := r.owner(ctx, call, "")
	if err != nil {
		return nil, err
	}
	named, err := r.peers(ctx, call, q.To)
	if err != nil {
		return nil, err
	}
	return r.changeNamed(ctx, call, owner, named, func(c *change) (results []result, err error) {
		find := requestsTo
		if q.Kind == kindSent {
			find = requestsBy
		}
		found, err := find(c.ctx, c.tx, owner.ID, slices.Collect(maps.Keys(c.books)))
		if err != nil {
			return nil, err
		}
		var gone []*friendRequest
		for _, name := range each(q.To) {
			peer, answered := named[name], result{To: name}
			if asked := found[peer.ID]; asked == nil {
				answered.refuse(im.Errorf(im.CodeFriendRequestUnknown, "there is no such request"))
			} else {
				gone = append(gone, asked)
				c.news.settled(owner, peer, asked)
			}
			results = append(results, answered)
		}
		return results, c.dropRequests(gone)
	})
}

// settled tells both sides of a request that it is gone, whoever of the two asked.
func (n *news) settled(owner, peer account.Account, q *friendRequest) {
	if q.from == owner.ID {
		n.gone(owner, peer)
	} else {
		n.gone(peer, owner)
	}
}
