package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
)

const (
	host = "host" // the user id of the room's owner
	// house is the account that gifts and winners are told by. The back end signs for it for nobody, so that the page can believe
	// it: a custom message of anybody else may say what it likes.
	house = "house"
)

// backEnd is the live room's own server. What it keeps it keeps in memory: a real one has a store for coins.
type backEnd struct {
	options *options
	app     uint32
	key     string // signs for Magpie
	secret  string // signs tickets; Magpie does not know it

	mutex   sync.Mutex
	coins   map[string]int // by user id
	figures figures
	lottery lottery
	known   []string // ids of the latest callbacks
	changed chan struct{}
}

func newBackEnd(o *options) (*backEnd, error) {
	b := &backEnd{options: o, secret: rand.Text(), coins: map[string]int{}, changed: make(chan struct{}, 1)}
	if _, err := fmt.Sscanf(o.app, "%d:%s", &b.app, &b.key); err != nil {
		return nil, errors.New("--app: want SDKAPPID:KEY")
	}
	if o.code == "" {
		o.code = rand.Text()
	}
	if o.socket == "" {
		o.socket = "ws://" + o.magpie
	}
	return b, nil
}

// open makes the room, or takes the one that is there, and goes on from what its attributes say.
func (b *backEnd) open(ctx context.Context) error {
	for userID, nick := range map[string]string{host: "Host", house: "House"} {
		if err := b.call(ctx, "im_open_login_svc/account_import", object{"UserID": userID, "Nick": nick}, &object{}); err != nil {
			return err
		}
	}
	err := b.call(ctx, "group_open_http_svc/create_group", object{"Type": "AVChatRoom", "GroupId": b.options.room,
		"Name": b.options.title, "Owner_Account": host, "Notification": "Be kind."}, &object{})
	if err != nil && !isRefused(err, groupExists, groupIsMine) {
		return err
	}
	if err := b.resume(ctx); err != nil {
		return err
	}
	return b.state(ctx, object{"video": b.options.video, "lottery": ""})
}

// state writes attributes of the room. Whoever is inside hears of it, and who comes later reads them.
func (b *backEnd) state(ctx context.Context, changed object) error {
	attributes := []object{}
	for key, value := range changed {
		attributes = append(attributes, object{"key": key, "value": fmt.Sprint(value)})
	}
	return b.call(ctx, "group_open_http_svc/modify_group_attr",
		object{"GroupId": b.options.room, "GroupAttr": attributes}, &object{})
}

// tell has the house say something in the room that pages read. High is for what must not be dropped when much is said.
func (b *backEnd) tell(ctx context.Context, data string) error {
	return b.call(ctx, "group_open_http_svc/send_group_msg", object{"GroupId": b.options.room, "From_Account": house,
		"Random": mathrand.Uint32(), "MsgPriority": "High", "MsgBody": []object{{"MsgType": "TIMCustomElem",
			"MsgContent": object{"Data": data, "Desc": "", "Ext": ""}}}}, &object{})
}

// isOwner asks Magpie each time, as a room may have been handed over.
func (b *backEnd) isOwner(ctx context.Context, userID string) (bool, error) {
	var reply struct {
		Infos []struct {
			Owner string `json:"Owner_Account"`
		} `json:"GroupInfo"`
	}
	err := b.call(ctx, "group_open_http_svc/get_group_info", object{"GroupIdList": []string{b.options.room}}, &reply)
	return err == nil && len(reply.Infos) == 1 && reply.Infos[0].Owner == userID, err
}

// isInside asks who is inside now. A ban takes an account out, so who is banned is not.
func (b *backEnd) isInside(ctx context.Context, userID string) (bool, error) {
	var reply struct {
		Inside []string `json:"Member_Account"`
	}
	err := b.call(ctx, "group_open_avchatroom_http_svc/check_members",
		object{"GroupId": b.options.room, "Member_Account": []string{userID}}, &reply)
	return err == nil && len(reply.Inside) == 1, err
}
