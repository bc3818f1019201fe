package im

// The error codes in use, by the service that returns them. Only codes that the reference system has are here
// (docs/protocol/errors.md).
const (
	CodeOK Code = 0

	CodeKickedOut Code = 1002 // to a client: read KickType in the same reply

	CodeBadHTTP        Code = 60002
	CodeBadJSON        Code = 60003
	CodeBadSignature   Code = 60004
	CodeAppInvalid     Code = 60006
	CodeRateExceeded   Code = 60007
	CodeUnknownCommand Code = 60009
	CodeNotAppAdmin    Code = 60010
	CodeAppMissing     Code = 60012
	CodeAppDisabled    Code = 60016
	CodeTooFrequent    Code = 60018

	CodeSigExpired   Code = 70001
	CodeSigEmpty     Code = 70002
	CodeSigMalformed Code = 70003
	CodeSigMismatch  Code = 70009
	CodeSigWrongUser Code = 70013
	CodeSigWrongApp  Code = 70014
	CodeSigNoKey     Code = 70016
	CodeAppUnknown   Code = 70020
	CodeSigRevoked   Code = 70052

	CodeAccountUnknown   Code = 70107
	CodeAccountBatchSize Code = 70206
	CodeAccountParameter Code = 70402
	CodeAccountNotAdmin  Code = 70403
	CodeAccountInternal  Code = 70500
	CodePresenceOff      Code = 72001

	CodeExtensionConflict    Code = 23001
	CodeExtensionUnsupported Code = 23002
	CodeExtensionRate        Code = 23003
	CodeExtensionUnknown     Code = 23004

	CodeSessionInvalid      Code = 20002
	CodeMessageParty        Code = 20003
	CodeMessageRefused      Code = 20006
	CodeSenderBlocked       Code = 20007
	CodeNotFriends          Code = 20009
	CodeNotTheirFriend      Code = 20010
	CodeNotOwnFriend        Code = 20011
	CodeMessageMuted        Code = 20012
	CodeRecallWindow        Code = 20016
	CodeMessageUnknown      Code = 20022
	CodeMessageRecalled     Code = 20023
	CodeEditConflict        Code = 20027
	CodeMessageTooLong      Code = 80002
	CodeCallbackFailed      Code = 80003
	CodeMessageBadJSON      Code = 90001
	CodeMessageBody         Code = 90002
	CodeMessageReceiver     Code = 90003
	CodeMessageRandom       Code = 90005
	CodeMessageTime         Code = 90006
	CodeMessageBodyArray    Code = 90007
	CodeMessageSender       Code = 90008
	CodeMessageNotAdmin     Code = 90009
	CodeMessageFormat       Code = 90010
	CodeMessageReceivers    Code = 90011
	CodeMessageUnregistered Code = 90012
	CodeMessageAccounts     Code = 90018
	CodeMessageLifetime     Code = 90026
	CodeImportMode          Code = 90030
	CodeMessageSync         Code = 90031
	CodeMessagePushInfo     Code = 90043
	CodeMessageLifetimeType Code = 90044
	CodeMessageNoAccount    Code = 90048
	CodeMessageKey          Code = 90054
	CodeBatchTooLong        Code = 90055
	CodeMessageInternal     Code = 91000
	CodeBodyTooLong         Code = 93000

	CodeGroupInternal    Code = 10002
	CodeGroupParameter   Code = 10004
	CodeGroupTooMany     Code = 10005
	CodeGroupGrowth      Code = 10006
	CodeGroupRights      Code = 10007
	CodeGroupRequest     Code = 10008
	CodeGroupOwnerQuits  Code = 10009
	CodeGroupUnknown     Code = 10010
	CodeGroupBadJSON     Code = 10011
	CodeGroupMember      Code = 10013
	CodeGroupFull        Code = 10014
	CodeGroupID          Code = 10015
	CodeGroupRefused     Code = 10016
	CodeGroupMuted       Code = 10017
	CodeGroupAccount     Code = 10019
	CodeGroupTaken       Code = 10021
	CodeGroupFrequent    Code = 10023
	CodeGroupHandled     Code = 10024
	CodeGroupTakenOwn    Code = 10025
	CodeGroupDisabled    Code = 10026
	CodeGroupNoMessage   Code = 10030
	CodeGroupRecallLate  Code = 10031
	CodeGroupRecallNever Code = 10032
	CodeGroupRecallType  Code = 10033
	CodeGroupRooms       Code = 10036
	CodeGroupJoinedLimit Code = 10037
	CodeGroupMaxMembers  Code = 10038
	CodeGroupRecallOff   Code = 10041
	CodeGroupNoHistory   Code = 10044
	CodeAttributeKey     Code = 10045
	CodeAttributeValue   Code = 10046
	CodeAttributeKeys    Code = 10047
	CodeAttributeTotal   Code = 10048
	CodeAttributeRate    Code = 10049
	CodeAttributeUnknown Code = 10050
	CodeGroupMentions    Code = 10053
	CodeAttributeChanged Code = 10056
	CodeGroupMostGroups  Code = 10058
	CodeReceiptMembers   Code = 10060
	CodeReceiptOnline    Code = 10061
	CodeReceiptNone      Code = 10062
	CodeCounterKeys      Code = 10063
	CodePinsFull         Code = 10070
	CodeCommunities      Code = 11000

	CodeRelationParameter    Code = 30001
	CodeRelationUnknown      Code = 30003
	CodeRelationNotAdmin     Code = 30004
	CodeFollowOff            Code = 30005
	CodeRelationInternal     Code = 30006
	CodeFriendForbidden      Code = 30009
	CodeFriendsFull          Code = 30010
	CodeFriendGroups         Code = 30011
	CodeFriendRequests       Code = 30012
	CodeBlocklistFull        Code = 30013
	CodeFriendsPeerFull      Code = 30014
	CodeFriendBlocked        Code = 30515
	CodeFriendDenied         Code = 30516
	CodeFriendAlready        Code = 30520
	CodeFriendBlocking       Code = 30525
	CodeFriendPending        Code = 30539
	CodeFriendNoRequest      Code = 30614
	CodeFriendNotDeleted     Code = 31704
	CodeFriendRequestUnknown Code = 31804

	CodeProfileParameter  Code = 40001
	CodeProfileNobody     Code = 40002
	CodeProfileUnknown    Code = 40003
	CodeProfileNotAdmin   Code = 40004
	CodeProfileInternal   Code = 40006
	CodeProfileUnreadable Code = 40007
	CodeProfileForbidden  Code = 40008
	CodeProfileTag        Code = 40009
	CodeProfileTooLong    Code = 40601
	CodeProfileValue      Code = 40605
	CodeProfileType       Code = 40610

	CodeMuteBadJSON      Code = 130001
	CodeMuteNoGetAccount Code = 130002
	CodeMuteGetAccount   Code = 130003
	CodeMuteNoSetAccount Code = 130004
	CodeMuteSetAccount   Code = 130005
	CodeMuteNoTime       Code = 130008
	CodeMuteInternal     Code = 130014

	// Those of official accounts, some of which are also the global mute's: the service of the command decides.
	CodeOfficialRights     Code = 130002
	CodeOfficialUnknown    Code = 130004
	CodeOfficialFull       Code = 130006
	CodeOfficialID         Code = 130007
	CodeOfficialTaken      Code = 130008
	CodeOfficialNoDelete   Code = 130009
	CodeOfficialTooMany    Code = 130010
	CodeOfficialSubscriber Code = 131003

	CodeConversationUnknown   Code = 50001
	CodeConversationParameter Code = 50002
	CodeConversationNotAdmin  Code = 50003
	CodeConversationInternal  Code = 50004
	CodeConversationMarks     Code = 51006
	CodeConversationGroup     Code = 51007
	CodeConversationChosen    Code = 51008
	CodeConversationNoFolder  Code = 51009
	CodeConversationFolders   Code = 51010
	CodeConversationName      Code = 51011
	CodeConversationPinned    Code = 51012
)

// CodeMeaning is one row of the table of codes.
type CodeMeaning struct {
	Code    Code
	Meaning string
}

// CodeTable lists every code that Magpie returns, in rising order within each service.
func CodeTable() []CodeMeaning {
	return []CodeMeaning{
		{CodeOK, "success"},
		{CodeKickedOut, "this device was logged out; KickType in the reply says why"},
		{CodeGroupInternal, "internal error"},
		{CodeGroupParameter, "bad parameter"},
		{CodeGroupTooMany, "too many accounts in one call"},
		{CodeGroupGrowth, "the application makes more groups in a day than it may"},
		{CodeGroupRights, "no right to do this, or the type of the group does not have it"},
		{CodeGroupRequest, "the request is not allowed, or over a limit of the application"},
		{CodeGroupOwnerQuits, "the owner may not leave a group of this type"},
		{CodeGroupUnknown, "the group does not exist, or was destroyed"},
		{CodeGroupBadJSON, "the body is not JSON"},
		{CodeGroupMember, "the account is a member already"},
		{CodeGroupFull, "the group is full"},
		{CodeGroupID, "the group id is not allowed"},
		{CodeGroupRefused, "the application's back end refused it"},
		{CodeGroupMuted, "the account may not speak in the group"},
		{CodeGroupAccount, "the account does not exist"},
		{CodeGroupTaken, "the group id is taken"},
		{CodeGroupFrequent, "messages come too often"},
		{CodeGroupHandled, "the request to join was decided on already, or is too old"},
		{CodeGroupTakenOwn, "the group id is taken by a group of the same owner"},
		{CodeGroupDisabled, "the application has switched this off for clients"},
		{CodeGroupNoMessage, "no such message, or it was recalled"},
		{CodeGroupRecallLate, "too late to recall"},
		{CodeGroupRecallNever, "the message cannot be recalled"},
		{CodeGroupRecallType, "the type of the group has no recall"},
		{CodeGroupRooms, "the application has as many live rooms as it may"},
		{CodeGroupJoinedLimit, "the account is in too many groups"},
		{CodeGroupMaxMembers, "more members than a group may have"},
		{CodeGroupRecallOff, "the application has no recall in groups of the type"},
		{CodeGroupNoHistory, "the type of the group has no history"},
		{CodeAttributeKey, "the key of a group's attribute is empty or too long"},
		{CodeAttributeValue, "the value of a group's attribute is too long"},
		{CodeAttributeKeys, "more attributes than a group may have"},
		{CodeAttributeTotal, "the values of a group's attributes are too long together"},
		{CodeAttributeRate, "the attributes of the group change too often"},
		{CodeAttributeUnknown, "the group has no attribute of that key"},
		{CodeGroupMentions, "more mentions than a message may have"},
		{CodeAttributeChanged, "the attributes of the group changed meanwhile: read them first"},
		{CodeGroupMostGroups, "the application has as many groups of the type as it may"},
		{CodeReceiptMembers, "the group has more members than receipts are given for"},
		{CodeReceiptOnline, "a message for whoever is online cannot have receipts"},
		{CodeReceiptNone, "the message has no receipts"},
		{CodeCounterKeys, "more counters than a group may have"},
		{CodePinsFull, "as many messages are pinned as may be"},
		{CodeCommunities, "the application has switched communities off"},
		{CodeSessionInvalid, "the session is not valid, log in again"},
		{CodeMessageParty, "sender or receiver invalid or not imported"},
		{CodeMessageRefused, "the application's back end refused it"},
		{CodeSenderBlocked, "the receiver has blocked the sender"},
		{CodeNotFriends, "sender and receiver are no friends"},
		{CodeNotTheirFriend, "the receiver does not have the sender as a friend"},
		{CodeNotOwnFriend, "the sender does not have the receiver as a friend"},
		{CodeMessageMuted, "the sender may not speak in any chat with others"},
		{CodeRecallWindow, "too late to recall"},
		{CodeMessageUnknown, "no such message"},
		{CodeMessageRecalled, "the message was recalled already"},
		{CodeEditConflict, "the message was edited meanwhile; the reply has what it says now"},
		{CodeExtensionConflict, "the extension was changed meanwhile; the reply has what it says now"},
		{CodeExtensionUnsupported, "the message was sent without support for extensions"},
		{CodeExtensionRate, "too many writes of the extensions of one message"},
		{CodeExtensionUnknown, "the message does not exist"},
		{CodeRelationParameter, "bad parameter, or the account is no friend"},
		{CodeRelationUnknown, "the account does not exist"},
		{CodeRelationNotAdmin, "administrator rights needed"},
		{CodeFollowOff, "following is switched off"},
		{CodeRelationInternal, "internal error"},
		{CodeFriendForbidden, "an administrator has forbidden the account to add friends"},
		{CodeFriendsFull, "the own friend list is full"},
		{CodeFriendGroups, "more friend groups than an account may have"},
		{CodeFriendRequests, "too many requests to become friends wait for an answer"},
		{CodeBlocklistFull, "the blocklist is full"},
		{CodeFriendsPeerFull, "the other's friend list is full"},
		{CodeFriendBlocked, "the other is on the own blocklist"},
		{CodeFriendDenied, "the other takes no friends"},
		{CodeFriendAlready, "the other is a friend already"},
		{CodeFriendBlocking, "the own account is on the other's blocklist"},
		{CodeFriendPending, "the other was asked and has to answer"},
		{CodeFriendNoRequest, "there is no request to answer"},
		{CodeFriendNotDeleted, "the other is no friend"},
		{CodeFriendRequestUnknown, "there is no such request to delete"},
		{CodeProfileParameter, "bad parameter"},
		{CodeProfileNobody, "no account named"},
		{CodeProfileUnknown, "the account does not exist"},
		{CodeProfileNotAdmin, "administrator rights needed"},
		{CodeProfileInternal, "internal error"},
		{CodeProfileUnreadable, "no right to read the profile field"},
		{CodeProfileForbidden, "no right to write the profile field"},
		{CodeProfileTag, "the profile field does not exist"},
		{CodeProfileTooLong, "profile value too long"},
		{CodeProfileValue, "value not allowed for the profile field"},
		{CodeProfileType, "wrong type for the profile field"},
		{CodeConversationUnknown, "the account does not exist"},
		{CodeConversationParameter, "bad parameter"},
		{CodeConversationNotAdmin, "administrator rights needed"},
		{CodeConversationInternal, "internal error"},
		{CodeConversationMarks, "no conversation in the call, or too many"},
		{CodeConversationGroup, "the account has no such group"},
		{CodeConversationChosen, "too many conversations have marks or are in conversation groups"},
		{CodeConversationNoFolder, "there is no such conversation group"},
		{CodeConversationFolders, "too many conversation groups"},
		{CodeConversationName, "the name of a conversation group is too long"},
		{CodeConversationPinned, "too many conversations are pinned"},
		{CodeBadHTTP, "the HTTP request cannot be read"},
		{CodeBadJSON, "the body is not JSON"},
		{CodeBadSignature, "account or signature missing"},
		{CodeAppInvalid, "the SDKAppID is not a number of an application"},
		{CodeRateExceeded, "too many calls of this command"},
		{CodeUnknownCommand, "no such service or command"},
		{CodeNotAppAdmin, "the identifier is not an administrator of the application"},
		{CodeAppMissing, "the SDKAppID is missing"},
		{CodeAppDisabled, "the application is disabled"},
		{CodeTooFrequent, "too many requests, retry later"},
		{CodeSigExpired, "the UserSig has expired"},
		{CodeSigEmpty, "the UserSig is empty"},
		{CodeSigMalformed, "the UserSig cannot be read"},
		{CodeSigMismatch, "the UserSig was not made with the application's key"},
		{CodeSigWrongUser, "the UserSig was made for another user"},
		{CodeSigWrongApp, "the UserSig was made for another application"},
		{CodeSigNoKey, "the application has no public key for this kind of UserSig"},
		{CodeAppUnknown, "the application does not exist"},
		{CodeSigRevoked, "the UserSig was revoked"},
		{CodeAccountUnknown, "the account does not exist"},
		{CodeAccountBatchSize, "too many or no accounts in one call"},
		{CodeAccountParameter, "bad parameter"},
		{CodeAccountNotAdmin, "administrator rights needed"},
		{CodeAccountInternal, "internal error"},
		{CodePresenceOff, "the presence of accounts is not served to clients"},
		{CodeMessageTooLong, "the message is too long"},
		{CodeCallbackFailed, "the application's back end did not answer"},
		{CodeMessageBadJSON, "the body is not JSON"},
		{CodeMessageBody, "MsgBody is malformed"},
		{CodeMessageReceiver, "To_Account is missing or not text"},
		{CodeMessageRandom, "MsgRandom is missing or not a number"},
		{CodeMessageTime, "MsgTimeStamp is missing or not a number"},
		{CodeMessageBodyArray, "MsgBody is not a list"},
		{CodeMessageSender, "From_Account is missing or unknown"},
		{CodeMessageNotAdmin, "administrator rights needed"},
		{CodeMessageFormat, "the request does not have the documented form"},
		{CodeMessageReceivers, "more than 500 receivers"},
		{CodeMessageUnregistered, "To_Account is not registered"},
		{CodeMessageAccounts, "too many accounts in one call"},
		{CodeMessageLifetime, "MsgLifeTime is longer than seven days"},
		{CodeImportMode, "SyncFromOldSystem is missing or not a known number"},
		{CodeMessageSync, "SyncOtherMachine is not 1 or 2"},
		{CodeMessagePushInfo, "OfflinePushInfo is malformed"},
		{CodeMessageLifetimeType, "MsgLifeTime is not a number"},
		{CodeMessageNoAccount, "the account does not exist"},
		{CodeMessageKey, "the MsgKey is malformed"},
		{CodeBatchTooLong, "the message is too long"},
		{CodeMessageInternal, "internal error"},
		{CodeBodyTooLong, "the request is too long"},
		{CodeMuteBadJSON, "the body is not JSON"},
		{CodeMuteNoGetAccount, "Get_Account is missing"},
		{CodeMuteGetAccount, "Get_Account names no account"},
		{CodeMuteNoSetAccount, "Set_Account is missing"},
		{CodeMuteSetAccount, "Set_Account names no account"},
		{CodeMuteNoTime, "neither of the two times is given"},
		{CodeMuteInternal, "internal error"},
		{CodeOfficialRights, "of official accounts: no right to do this"},
		{CodeOfficialUnknown, "the official account does not exist"},
		{CodeOfficialFull, "the official account has all the subscribers that it may have"},
		{CodeOfficialID, "the official account's id is not allowed"},
		{CodeOfficialTaken, "the official account's id is in use"},
		{CodeOfficialNoDelete, "a message of an official account is not deleted for one subscriber"},
		{CodeOfficialTooMany, "too many official accounts of the application, or subscriptions of the account"},
		{CodeOfficialSubscriber, "the account does not subscribe to the official account"},
	}
}
