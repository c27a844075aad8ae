// Package load puts load on one server and counts what comes back. It has two
// engines behind the same call: native, a closed-loop client that checks every
// answer, and wrk, the publication's tool. Both run as child processes, so that
// their processor time is known in the same way and none of it is the caller's.
// Verify asks one question with native's parser.
//
// It starts no processes itself (a Runner does), knows nothing of rounds or
// history, judges no measurement, and talks to loopback addresses only.
//
// Native follows wrk where the two must agree: the same request bytes, a closed
// loop over connections/threads connections a thread, keep-alive and the end of a
// body decided by the same rules, TCP_NODELAY and nothing else set on a socket.
// It does not follow wrk where wrk misleads: a connection is never given up, a
// request without an answer is counted as a timeout when its time is over, an
// answer that ends with its connection counts once, a wrong answer is no
// throughput, and no latency is made up.
package load
