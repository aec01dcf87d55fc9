package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"hearback/desk"
	"hearback/ticketstore"
)

// Run proves a store of one engine. open makes a fresh one with its own clock; more stores on the same database come from
// [World.Second].
func Run(t *testing.T, url func(testing.TB) string) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(makeWorld(t, url(t))) })
	}
}

var cases = []struct {
	name string
	run  func(*World)
}{
	{"SameExternalIDIsADuplicateOfTheFirst", testDuplicates},
	{"BytesTheDatabaseCannotHoldAreMended", testForeignBytes},
	{"ClaimsKeepEachSendersOrder", testClaimOrder},
	{"OneOpenTicketPerChat", testChat},
	{"OneSendersMessagesAreFiledInOrder", testOrderOfFiling},
	{"ResolvedReopensAndClosedContinuesLinked", testReopen},
	{"ThreadKeysFindTheConversation", testThreads},
	{"RepliesAndNumbersNameTheirConversation", testAnsweredThreads},
	{"StrangersWhoReferToATicketGetTheirOwn", testMembers},
	{"AnotherTopicStartsALinkedTicket", testTopics},
	{"ABounceBringsTheTicketBack", testBounceWakes},
	{"OnlyProvenIdentitiesJoinPeople", testPeople},
	{"FilesWindowsAndFieldsReachTheTicket", testParts},
	{"EveryVerdictIsInTheLedger", testVerdicts},
	{"BrokenTextIsKeptReadable", testPoison},
	{"ManySendersInOneBatch", testManyAtOnce},
	{"ReplyIsOneTransactionAndIdempotent", testReply},
	{"RepliesLeaveInTheirTicketsOrder", testDeliveryOrder},
	{"ReceiptsOnlyRiseUntilABounce", testReceipts},
	{"FailedRepliesAreRetriedAndChannelsHeld", testRetryAndHold},
	{"EpochsFenceAssignments", testAssign},
	{"EveryChangeCountsTheClockUp", testChange},
	{"MergedAndSplitConversationsGoOn", testMergeAndSplit},
	{"JobsAndLeasesRunOut", testJobsAndLeases},
	{"TwoNodesFileEachSendersMessagesOnceInOrder", testRace},
	{"ATicketHasOneOwner", testOneOwner},
	{"AReplyIsClaimedOnce", testOneSend},
	{"AReplyByAnotherWayIsAnsweredOnItsTicket", testRoute},
	{"AChatGoesOnWhereItWasSpokenToLast", testRouteChat},
	{"OfTwoRepliesAtOnceTheSecondIsWarned", testAnsweredMeanwhile},
	{"QuotasAreCountedPerConversation", testQuota},
	{"TheLastPlacesOfAQuotaAreTakenOnce", testQuotaRace},
	{"LettersCarrySignatureTemplateAndSubject", testLetters},
	{"ACallIsTheSameInAnyOrder", testCallOrders},
	{"ACallersNumberMayComeLate", testLateNumber},
	{"WithheldNumbersAreNobodysAndEachTheirOwn", testAnonymous},
	{"AMissedCallIsAPromiseToCallBack", testMissedCall},
	{"ACallJoinsTheCallersTicket", testCallJoins},
	{"ACallBackEndsThePromise", testCallBack},
	{"RecordingsWaitForTheirCall", testRecordings},
	{"ACallRingsAtThoseWhoCanTakeIt", testRinging},
	{"CallsNobodyEndsAreEndedByATimer", testStaleCalls},
	{"TwoNodesMakeOneCallOfItsFirstEvents", testCallRace},
	{"CallsGoWithTheirMessages", testCallMoves},
	{"AnAgentOpensATicketByWriting", testStart},
	{"AnswersGoToTheTicketThatWroteLast", testStartChat},
	{"OneLetterOpensOneTicket", testStartRace},
	{"AClosingWindowIsWarnedOfOnce", testWindowWarning},
	{"WhoHasLeftCannotBeWritten", testUnreachable},
	{"AQuestionIsAJobAndNoTicket", testAsk},
	{"CopiesOfOneMailAreLinked", testCopies},
	{"CopiesFiledAtOnceAreLinked", testCopiesRace},
	{"ALateAnswerIsANewMatter", testFreshAfter},
	{"WhatIsTakenBackIsMarked", testRetract},
	{"LogNumbersRepliesInTheSendersLine", testLog},
}

// Clock is a clock that moves only when told.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the time it stands at.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Pass moves it on.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// World is one test's database with a store on it and short words for what tests do.
type World struct {
	*testing.T
	Store *ticketstore.Store
	Clock *Clock
	url   string
	ctx   context.Context
	ids   int
}

const channel = "01900000-0000-7000-8000-00000000c4a7"

var agent = desk.Author{Kind: "agent", ID: "01900000-0000-7000-8000-0000000a9e27", Name: "小王"}

func makeWorld(t *testing.T, url string) *World {
	w := &World{T: t, url: url, ctx: t.Context(), Clock: &Clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
	w.Store = w.Second()
	return w
}

// Second opens another store on the same database, as a second node would.
func (w *World) Second() *ticketstore.Store {
	opt := Options(w.url)
	opt.Now = w.Clock.Now
	return Open(w.T, opt)
}

// in is the time d from now.
func (w *World) in(d time.Duration) desk.Time { return desk.At(w.Clock.Now().Add(d)) }

// ok ends the test on an error.
func (w *World) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// envelope makes a message of one sender with a new external id.
func (w *World) envelope(sender, text string) desk.Envelope {
	w.ids++
	return desk.Envelope{ChannelID: channel, Kind: "webchat", ExternalID: fmt.Sprintf("ext-%d", w.ids), Sender: sender, Raw: []byte(text)}
}

// put stores envelopes leased for a minute and returns them filled.
func (w *World) put(envs ...desk.Envelope) []desk.Envelope {
	w.Helper()
	w.ok(w.Store.PutInbox(w.ctx, []*ticketstore.Arrival{{ChannelID: channel, Envelopes: envs}}, w.in(time.Minute)))
	return envs
}

// understood is what decoding makes of an envelope: its text by a visitor of the sender's name.
func understood(e desk.Envelope, change ...func(*desk.Inbound)) ticketstore.Filing {
	in := desk.Inbound{Type: desk.EnvelopeMessage, From: desk.Identity{Type: "webchat", Value: e.Sender, Scope: e.ChannelID, Verified: true},
		Text: string(e.Raw)}
	for _, f := range change {
		f(&in)
	}
	return ticketstore.Filing{Envelope: e, Inbounds: []desk.Inbound{in}, Plans: []ticketstore.Plan{{}}}
}

// file files and returns what became of it.
func (w *World) file(filings ...ticketstore.Filing) []ticketstore.Filed {
	w.Helper()
	filed, err := w.Store.File(w.ctx, filings)
	w.ok(err)
	return filed
}

// say lets a sender write and files it at once.
func (w *World) say(sender, text string, change ...func(*desk.Inbound)) ticketstore.Filed {
	w.Helper()
	return w.file(understood(w.put(w.envelope(sender, text))[0], change...))[0]
}
