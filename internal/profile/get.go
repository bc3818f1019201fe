package profile

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

type userProfile struct {
	To         string        `json:"To_Account"`
	Items      []ProfileItem `json:"ProfileItem"`
	ResultCode im.Code       `json:"ResultCode"`
	ResultInfo string        `json:"ResultInfo"`
}

type getRequest struct {
	To   []string `json:"To_Account"`
	Tags []string `json:"TagList"`
}

type getReply struct {
	Users        []userProfile `json:"UserProfileItem"`
	Fail         []string      `json:"Fail_Account"`
	ErrorDisplay string        `json:"ErrorDisplay"`
}

func (p *Profiles) getCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "portrait_get", By: command.Administrator | command.Account, Family: family(),
		Doc: "read named profile fields of accounts", Section: "rest.md#portrait_get",
	}, p.get)
}

func (p *Profiles) get(ctx context.Context, call *command.Call, r *getRequest) (*getReply, error) {
	if len(r.Tags) == 0 {
		return nil, im.Errorf(im.CodeProfileParameter, "TagList names no field")
	}
	for _, tag := range r.Tags {
		if err := checkRead(call, tag); err != nil {
			return nil, err
		}
	}
	users, fail, err := p.users(ctx, call, r.To, func(tag string) bool { return slices.Contains(r.Tags, tag) })
	if err != nil {
		return nil, err
	}
	for _, userID := range fail {
		users = append(users, userProfile{
			To: userID, Items: []ProfileItem{}, ResultCode: im.CodeProfileUnknown, ResultInfo: "the account does not exist",
		})
	}
	return &getReply{Users: users, Fail: fail}, nil
}

// checkRead refuses a field that does not exist, or that the caller may not read.
func checkRead(call *command.Call, tag string) error {
	if _, ok := fieldFor(tag); !ok {
		return im.Errorf(im.CodeProfileTag, "no profile field %.60q", tag)
	}
	if !isCustom(tag) || readable(call, tag) {
		return nil
	}
	if _, declared := customOf(call.App, tag); !declared {
		return im.Errorf(im.CodeProfileTag, "the application has declared no field %.60q", tag)
	}
	return im.Errorf(im.CodeProfileUnreadable, "%s is for administrators", tag)
}

// getAllRequest is the web client's form: whole profiles, each with the version that the client has, which we ignore.
type getAllRequest struct {
	Users []struct {
		To string `json:"To_Account"`
	} `json:"UserItem"`
}

type getAllReply struct {
	Users []userProfile `json:"UserProfileItem"`
}

func (p *Profiles) getAllCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "portrait_get_all", By: command.Account, Family: family(),
		Doc: "read whole profiles", Section: "wire.md#profile",
	}, p.getAll)
}

func (p *Profiles) getAll(ctx context.Context, call *command.Call, r *getAllRequest) (*getAllReply, error) {
	names := make([]string, 0, len(r.Users))
	for _, user := range r.Users {
		names = append(names, user.To)
	}
	users, fail, err := p.users(ctx, call, names, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	former, err := p.accounts.FindManyEver(ctx, call.App.ID, fail)
	if err != nil {
		return nil, err
	}
	// A client opens no chat with somebody of whom it hears nothing, not even one that it has had for long.
	for _, name := range fail {
		if _, ok := former[name]; ok {
			users = append(users, userProfile{To: name, Items: []ProfileItem{}})
		}
	}
	return &getAllReply{Users: users}, nil
}

// users reads the profiles of those of the named accounts that exist, and lists those that do not.
func (p *Profiles) users(
	ctx context.Context, call *command.Call, names []string, wanted func(tag string) bool,
) ([]userProfile, []string, error) {
	switch {
	case len(names) == 0:
		return nil, nil, im.Errorf(im.CodeProfileNobody, "no account is named")
	case len(names) > im.MaxAccountsPerCall:
		return nil, nil, im.Errorf(im.CodeProfileParameter, "%d accounts in one call: want at most %d", len(names), im.MaxAccountsPerCall)
	}
	found, err := p.accounts.Read(ctx, call.App.ID, names)
	if err != nil {
		return nil, nil, err
	}
	fields, err := p.read(ctx, p.db, maps.Values(found))
	if err != nil {
		return nil, nil, err
	}
	users, fail := []userProfile{}, []string(nil)
	for _, name := range names {
		one, ok := found[name]
		if !ok {
			fail = append(fail, name)
			continue
		}
		users = append(users, userProfile{To: name, Items: pick(one, fields, func(tag string) bool { return wanted(tag) && readable(call, tag) })})
	}
	return users, fail, nil
}

func pick(of account.Account, fields map[im.AccountID]fields, wanted func(tag string) bool) []ProfileItem {
	items := []ProfileItem{}
	for tag, item := range fields[of.ID] {
		if wanted(tag) {
			items = append(items, item)
		}
	}
	slices.SortFunc(items, func(x, y ProfileItem) int { return strings.Compare(x.Tag, y.Tag) })
	return items
}
