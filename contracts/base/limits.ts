/**
 * Every bound of the system, in one place, each with its reason. Tests show that they are enforced.
 * @module
 */
const KIB = 1024
const MIB = 1024 * KIB

export const LIMITS = {
  // Frames and streams.
  /** Largest frame: a sealed request with a long prompt, and room for control. */
  frameBytes: MIB,
  /** A frame must be complete this long after its first byte: a slow sender holds memory. */
  frameDeadlineMs: 10_000,
  /** Bytes queued to one stream before `send` waits: all that is queued of one forwarded job. */
  sendHighWaterBytes: 64 * KIB,
  /** Bytes queued to one stream by a caller that never waits for `send`: a fault, it ends. */
  sendMostBytes: 4 * MIB,
  /** Window of one multiplexed stream: below the buffers that it may fill. */
  muxWindowBytes: MIB,
  /** Bytes a multiplexed stream holds for a paused reader: a window and what is on its way. */
  muxReadBytes: 2 * MIB,
  /** Bytes a multiplexed stream holds for a slow network; `sendHighWaterBytes` keeps far below. */
  muxWriteBytes: 4 * MIB,
  /** Bytes of whole frames waiting for a reader before the stream is paused. */
  readHighWaterBytes: 256 * KIB,
  /** A paused reader is resumed below this. */
  readLowWaterBytes: 64 * KIB,
  /** A send without any progress this long ends the stream: the peer is gone or hostile. */
  stallMs: 10_000,
  /** Frames of one stream sent together at the end of a turn. */
  coalesceFrames: 64,

  // Connections.
  /** Connections one host holds; 80 KB each, so about 400 MB at the bound. */
  connections: 5_000,
  /** Inbound handshakes a second over all hosts; each costs 13 ms of CPU. */
  handshakesPerSecond: 50,
  /** Inbound handshakes under way at once. */
  pendingHandshakes: 64,
  /** Connections one peer may hold towards us: more than one only while it reconnects. */
  connectionsPerPeer: 4,
  /** Addresses tried in one dial. */
  dialAddresses: 16,
  /** Streams of one protocol that one peer may hold towards us. */
  streamsPerPeer: 256,
  /** Time to dial and to complete a hello. */
  dialMs: 10_000,
  helloMs: 5_000,
  /** A provider says that it is alive this often; silent three times as long, it is gone. */
  heartbeatMs: 10_000,
  /** Reconnecting backs off between these, with full jitter. */
  reconnectMinMs: 1_000,
  reconnectMaxMs: 60_000,

  // Jobs.
  /** Attempts of one job, the first included. */
  attempts: 3,
  /** Open jobs (waiting or running) on one client channel. */
  jobsPerChannel: 64,
  /** Jobs waiting in a scheduler's queue. */
  queuedJobs: 10_000,
  /** A lease whose sealed request has not come ends after this and costs nothing. */
  unusedLeaseMs: 2_000,
  /** A provider answers a lease within this. */
  acceptMs: 2_000,
  /** A lease ends after this, whatever happens. */
  leaseMs: 600_000,
  /** From the sealed request to the first frame. */
  firstFrameMs: 30_000,
  /** Between two frames of a running job (empty ones included). */
  frameGapMs: 10_000,
  /** Longest wait in the queue a job may ask for. */
  deadlineMs: 600_000,
  /** A provider that waits for the next window this long ends the job. */
  unpaidMs: 10_000,
  /** A forwarded job that makes no progress this long is cancelled. */
  forwardStallMs: 10_000,
  /** Sealed request: prompt, messages and padding. */
  requestBytes: 512 * KIB,
  /** Messages of one conversation. */
  messages: 1_024,
  /** Sealed frames of one job: 16 a tick of 100 ms over the longest lease is 96,000. */
  framesPerJob: 131_072,
  /** Bytes of one piece of an answer; longer text is split, so a reader holds no more than this. */
  pieceBytes: 16 * KIB,
  /** Plaintext bytes waiting for a pacer's clock: the longest answer (maxTokens) and room. */
  pacedBytes: MIB,
  /** Leases opened under one epoch key, remembered against replay (32 bytes each, and room). */
  opensPerEpoch: 65_536,
  /** An epoch key opens this long after its end, seconds, for requests on the way; then it goes. */
  epochGraceS: 30,
  /** A node without jobs looks this often for epoch keys that have ended, to erase them. */
  epochSweepMs: 30_000,
  /** Stop texts of one request (OpenAI allows four), and characters of one. */
  stopTexts: 4,
  stopLength: 64,
  /** Completion tokens one job may ask for. */
  maxTokens: 65_536,
  /** Words of a requirement list (regions, GPU classes, excluded providers). */
  listItems: 64,
  /** Characters of a name: model, region, GPU class, tenant, job tag. */
  nameLength: 128,
  /** Slots of one provider. */
  slotsPerProvider: 64,
  /** Places of one slot that a scheduler believes. */
  capacity: 4_096,
  /** Slots of one pool: about 500 bytes each. */
  poolSlots: 2_000_000,
  /** Jobs that a pool has placed and that have not ended: about 150 bytes each. */
  poolJobs: 4_000_000,
  /** Most jobs that a queue can be told to hold. */
  queueLimit: 1_000_000,
  /** Tenants whose counters a pool remembers; beyond, those charged longest ago are forgotten. */
  fairTenants: 100_000,
  /** Models of one pool: each has 2 KB of its own beside its slots. */
  poolModels: 20_000,
  /** Prefix tags of one job: those of the longest beginnings of a conversation. */
  prefixTags: 16,
  /** Tags of prompts that a slot remembers: some four conversations of sixteen blocks. */
  slotTags: 64,
  /** Slots looked at because they remember a job's tags; affinity is a hint, not a search. */
  affineSlots: 64,
  /** Bytes of one line of recorded events: a job whose three lists are full needs half of it. */
  eventLineBytes: 64 * KIB,
  /** Failures of a provider in a row, on any of its slots, that count against all of them. */
  providerFailures: 3,
  /** A slot whose last jobs failed rests between these, doubling, before it gets another. */
  restMinMs: 1_000,
  restMaxMs: 60_000,
  /** The same for a slot that has never served a job: it draws under 1 % where jobs are few. */
  restUnprovenMaxMs: 600_000,
  /** Jobs of one provider whose grants await a receipt; then the account is opened anew. */
  stuckJobs: 4,
  /** Finished jobs whose ids a scheduler remembers, so that a repeated submit is answered. */
  rememberedJobs: 10_000,

  // Money.
  /** Undelivered prepayment on a channel, parts per 10,000 of the deposit. */
  exposurePer10k: 100,
  /** Least close delay a payee accepts, seconds (24 h). */
  closeDelayS: 86_400,
  /** First window between strangers, completion tokens; doubles with each one delivered. */
  firstWindowTokens: 32,
  /** Channels that one payee takes: each is read from disk at start and kept in memory. */
  channels: 100_000,
  /** A client countersigns within this, or its provider is settled without it. */
  countersignMs: 10_000,
  /** A payee looks at its channels on chain this often: top-ups count soon, no close is missed. */
  watchMs: 60_000,
  /** Least time between two such looks: all channels of a full payee in 3 h of the close delay. */
  watchGapMs: 100,
  /** A payee short of funds for a job looks at the chain no more often for one channel. */
  lookAgainMs: 1_000,
  /** Account messages waiting for their acknowledgement. */
  unackedPayments: 256,
  /** Jobs of one account that are active or unsettled: it is one row, copied with each message. */
  accountJobs: 1_024,

  // Records.
  /** Bytes of one signed record as a bag of cells. */
  recordBytes: 4 * KIB,
  /** Cells of one signed record. */
  recordCells: 16,
  /** Bytes of one evidence document. */
  evidenceBytes: 256 * KIB,
  /** Evidence proves nothing this long after the block it names, seconds (a day). */
  evidenceLifeS: 86_400,
  /** A client waits this long for its chain to tell the block that evidence names, then refuses. */
  freshBlockMs: 10_000,
  /** A block this much after the last one known is no forgery yet: endpoints lag by seconds. */
  freshBlocksAhead: 20,
  /** Blocks that a client remembers: each provider names one or two a day. */
  freshBlocks: 256,
  /** A client shows that it refuses a placement at whole multiples of this: longer than checks. */
  refusalTickMs: 500,
  /** A provider that serves asks for the chain's time no more often than this. */
  chainTimeMs: 60_000,
  /** Bytes of one certificate: those of hardware vendors have up to 2 KB. */
  certificateBytes: 8 * KIB,
  /** Certificates of one chain: NVIDIA's have five. */
  chainCertificates: 6,
  /** Extensions of one certificate: AMD's have eleven. */
  certificateExtensions: 32,
  /** Bytes of one PEM text: a full chain, or the largest revocation list, as base64. */
  pemBytes: 384 * KIB,
  /** Bytes of one revocation list: about 5,000 revoked platforms; Intel's has 3 KB today. */
  crlBytes: 256 * KIB,
  /** Nesting of DER: certificates need eight levels. */
  derDepth: 12,
  /** Bytes of one object identifier: the longest known here has twelve. */
  oidBytes: 32,
  /** Bytes of one GPU's signed measurements: Hopper's have 4 KB. */
  spdmReportBytes: 16 * KIB,
  /** GPUs and switches in one piece of NVIDIA evidence: the largest machines have 8 and 4. */
  gpusPerEvidence: 16,
  /** Bytes of NVIDIA's evidence as JSON: 8 GPUs have 100 KB. */
  gpuEvidenceBytes: 256 * KIB,
  /** Bytes of the certificates that a host hands to an SEV-SNP guest: Linux asks for 16 KB. */
  snpCertTableBytes: 64 * KIB,
  /** Bytes of one TDX quote: those of today have 5 KB, in buffers of 8. */
  quoteBytes: 16 * KIB,
  /** Bytes of TDX collateral: 19 KB today, most of it levels and revoked serial numbers. */
  collateralBytes: 128 * KIB,
  /** Levels, components or advisories of one list in Intel's TCB info. */
  tcbLevels: 256,
  /**
   * A number of Intel's evaluation data has ended where a higher one was issued this much later.
   * Intel issues all documents once a day, within an hour, so both tracks lie closer together than
   * this, and two days of one track do not.
   */
  tcbIssueGapMs: 12 * 3_600_000,
  /** Numbers that Intel issues at once: two tracks, and as many in a week of change. */
  tcbTracks: 4,
  /** Verdicts on hardware that are remembered: 2 KB each. */
  verdicts: 4_096,
  /** Bytes of a report that the kernel gives out: its own bound (TSM_OUTBLOB_MAX). */
  tsmBlobBytes: 32 * KIB,
  /** A tool that collects evidence is ended after this long: 8 GPUs take some seconds each. */
  collectorMs: 120_000,
  /** Collateral is renewed this often: a client refuses lists older than those it has seen. */
  collateralRenewS: 86_400,
  /** A collateral file that was refused is looked at again after this long, seconds. */
  collateralRetryS: 600,
  /** Collateral is renewed this long before it ends, seconds, or at half of its life. */
  collateralAheadS: 7 * 86_400,
  /** Life of an epoch key, seconds. */
  epochMinS: 600,
  epochMaxS: 3_600,
  /** Clock difference between two honest machines, seconds. */
  clockSkewS: 300,
  /** Schedulers, providers or addresses that one network.json lists. */
  networkItems: 4_096,
  /** Models of one version of the registry's parameters: five cells each, in a message of 8,192. */
  listedModels: 1_024,
  /** Measurements of one version: two cells each. */
  listedImages: 512,
  /** Assets of one version. */
  listedAssets: 64,
  /** The registry's state is read again this often: parameters are followed with this delay. */
  directoryPollMs: 10_000,
  /** A member of the registry is looked up again after this. */
  directoryMemberMs: 60_000,
  /** Members remembered; the oldest is asked for again. */
  directoryMembers: 1_024,
  /** Versions of the market's parameters kept beside the one in force. */
  parameterVersions: 4,
  /** Leases may still name a version this long after the next one came into force, seconds. */
  parameterGraceS: 600,
  /** A node looks at its own item this often. */
  registrationLookMs: 3_600_000,
  /** An item is seen this often, seconds: a fourth of what makes it live; a GPU may no oftener. */
  itemHeartbeatS: 7 * 86_400,
  /** Items of one kind that are walked, newest first: one question to the chain each. */
  listedItems: 1_024,
  /** Accounts around members in which an audit looks for channels and cases: one question each. */
  auditedAccounts: 4_096,
  /** Schedulers of the registry that are considered. */
  listedSchedulers: 64,
  /** Bytes of the addresses that a scheduler's item lists: read from strangers, kept on chain. */
  itemAddressBytes: KIB,
  /** Bytes of one receipt file. */
  receiptFileBytes: MIB,
  /** Bytes of one contradiction file: three records at most, in base64, and their names. */
  contradictionBytes: 32 * KIB,

  // Store.
  /** Characters of a table's name or of a key. */
  storeKeyLength: 512,
  /** Bytes of one stored value: a job's record with its evidence. */
  storeValueBytes: 4 * MIB,
  /** Entries of one page of a listing. */
  storePage: 1_000,

  // Simulation.
  /** Transactions an account of the simulated chain remembers: long runs must not grow for ever. */
  simulatedTransactions: 1_000,
  /** Jobs of one simulated world: each leaves a record, and the whole is kept in memory. */
  simulatedJobs: 10_000,

  // HTTP.
  /** Body of one HTTP request. */
  bodyBytes: MIB,
  /** One HTTP request to a model server or a chain endpoint. */
  httpMs: 30_000,
  /** Headers of one HTTP request must be complete after this: a slow sender holds a socket. */
  httpHeadersMs: 10_000,
  /** A socket without a byte this long is closed; longer than any silence of a running job. */
  httpIdleMs: 120_000,
  /** Sockets one HTTP surface holds; they are all on this machine. */
  httpConnections: 512,
  /** A stopping server lets open requests end this long, then cuts them. */
  httpStopMs: 2_000,

  // Status and metrics.
  /** Rows of one list in a scheduler's `/status`: a screen, not a ledger; sums are over all. */
  statusRows: 200,
  /** The chain is looked at no more often for a status: several readers share one look. */
  statusChainEveryMs: 1_000,
  /** A status waits this long for the chain, then says what was known. */
  statusChainMs: 500,
  /** A look at the chain for a status has failed after this. */
  statusChainLookMs: 10_000,
  /** A public network whose last block is older is not healthy: they make one in a few seconds. */
  statusBlockAgeS: 60,
  /** Models named in labels of metrics; providers choose the names, the rest are `other`. */
  metricModels: 64,

  // Access to a TON network.
  /** Answer of a chain endpoint: a page of 100 transactions with code in them. */
  chainAnswerBytes: 8 * MIB,
  /** Tries of one request to a chain endpoint, the first included. */
  chainTries: 4,
  /** First wait between two tries; doubles each time. */
  chainRetryMs: 250,
  /** Between two requests to an endpoint that limits them: toncenter's one second, and a tenth. */
  chainRateMs: 1_100,
  /** A request waits this long in all for its place at such an endpoint, then fails. */
  chainRateWaitMs: 60_000,
  /** Transactions asked for at once: toncenter's own bound. */
  chainPage: 100,
  /** Pages walked in one call to find a place that is not in memory. */
  chainPages: 100,
  /** Places in transaction lists that are remembered, so that the next page starts there. */
  chainCursors: 1_024,
  /** Between two looks at a wallet whose transaction is awaited. */
  chainPollMs: 200,
  /** A message that is not final on chain after this is reported; it may still arrive. */
  chainFinalMs: 60_000,
  /** A wallet message not seen on chain is sent again after this. */
  walletResendMs: 10_000,
  /** A wallet message is void this long after it was signed, seconds. */
  walletValidS: 120,
  /** Servers of one endpoint may differ by this much: a transfer is void only after it, seconds. */
  walletLagS: 30,

  // Localnet.
  /** Transactions, and blocks, whose history a localnet keeps in memory: 1 KB each, so 20 MB. */
  localnetTransactions: 20_000,
  /** The same of a localnet on disk: about a gigabyte. */
  localnetStoredTransactions: 1_000_000,
  /** Accounts that a localnet keeps in memory, whatever their number on disk. */
  localnetCachedAccounts: 1_024,
  /** Longest pace of a localnet's blocks: a minute. */
  localnetBlockMs: 60_000,
  /** Messages from outside that wait for a localnet's next block, or for the end of a pause. */
  localnetInbox: 1_024,
  /** Transactions of one block; what a message causes beyond goes into the next block. */
  localnetBlockTransactions: 256,
  /** Calls waiting for a localnet's one writer. */
  localnetWaiting: 1_024,
  /** Snapshots of a localnet that are kept. */
  localnetSnapshots: 16,
  /** One step of a localnet's time, seconds: ten years. */
  localnetAdvanceS: 315_360_000,
  /** One grant of the faucet, nanoTON: a billion TON, far below what `coins` holds. */
  faucetNano: 1_000_000_000_000_000_000n,
  /** Items of a get method's stack. */
  stackItems: 256,
  /** Transactions of one page of a localnet's API: toncenter's own bound. */
  toncenterPage: 1_000,
  /** The same of a block. */
  toncenterBlockPage: 10_000,
  /** Characters of the transactions of one page: an answer repeats them about three times. */
  toncenterPageBytes: 2 * MIB,
  /** Libraries asked for in one call of a localnet's API. */
  toncenterLibraries: 256,
  /** Cells that one value of an answer spells out; a bigger tree is given as a bag only. */
  toncenterCells: 512,
  /** Bytes of one value of a token's content: toncenter's own. */
  tokenContentBytes: 8 * KIB,

  // Backends.
  /** Jobs waiting for a place of one backend; a provider sells no more than its places. */
  backendQueue: 64,
  /** Tokens the engine computes before the reader has taken the earlier ones. */
  engineAheadTokens: 8,
  /** An engine must have loaded its model after this. */
  engineStartMs: 60_000,
  /** An engine that owes a token and says nothing this long is killed; a long prompt takes time. */
  engineStallMs: 30_000,
  /** Jobs that one engine computes at once: each holds a whole context in memory. */
  enginePlaces: 64,
  /** A dead engine is started again between these, doubling; a minute of life resets it. */
  engineRestartMinMs: 250,
  engineRestartMaxMs: 30_000,
  engineSettledMs: 60_000,
  /** Likely tokens that a backend names with each of its own: what OpenAI's API allows. */
  topLogprobs: 20,
  /** JavaScript heap of an engine process; the weights live outside it. */
  engineHeapMib: 256,
  /**
   * Data of an engine process beside twice its model file: Node sets 530 MiB aside and uses little
   * of it, the demo model takes 200 MiB with one place and 270 with all.
   */
  engineDataMib: 1_024,
  /** Bytes of prompt per context token above which a prompt is refused without counting it. */
  promptBytesPerToken: 256,
  /** One line of a model server's event stream. */
  sseLineBytes: 256 * KIB,
} as const
