package bench

// EngineBlock is two runs of each engine against one live server, in the order
// native, wrk, wrk, native or its mirror: what drifts evenly during the block
// does the same to both.
type EngineBlock struct {
	Native, Wrk [2]Load
}
