package official

import "github.com/magpie-im/magpie/internal/setting"

var (
	maxAccounts = setting.Int(setting.Spec[int]{
		Name: "official.max", Default: 1000, Low: 0, High: 100_000, Doc: "official accounts of the application",
	})
	maxSubscribers = setting.Int(setting.Spec[int]{
		Name: "official.max_subscribers", Default: 100_000, Low: 1, High: 1_000_000,
		Doc: "largest MaxSubscriberNum of an official account, and that of one that is made without",
	})
	maxSubscribed = setting.Int(setting.Spec[int]{
		Name: "official.max_subscribed", Default: 1000, Low: 1, High: 3000, Doc: "official accounts that one account may subscribe to",
	})
)

// Settings lists what an operator may choose for official accounts.
func (*Officials) Settings() []setting.Declaration {
	return []setting.Declaration{maxAccounts, maxSubscribers, maxSubscribed}
}
