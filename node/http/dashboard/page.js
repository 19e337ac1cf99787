/**
 * The dashboard's script: reads `/status` every two seconds and shows it, saying how old it is.
 *
 * What comes from the server is inserted as text and never as markup: a model's name is a stranger's
 * word. Amounts arrive as decimal strings of nanoTON and are shown exact, without floating point.
 * @module
 */

const EVERY_MS = 2_000
/** A request that takes longer has failed. */
const PATIENCE_MS = 5_000
/** Figures older than this are called old. */
const OLD_MS = 7_000
const NANO_DIGITS = 9
const SLOT_LABELS = ['Model', 'TON per million', 'Places', 'Tier', 'Provider']
const CHANNEL_LABELS = ['Channel', 'Deposit', 'Signed', 'Spent', 'Claimed']

const element = (id) => document.getElementById(id)
/** Sections as they stand, so that only what has changed is drawn again. */
const drawn = new Map()
let figuresAtMs
let failure = ''

read()
window.setInterval(read, EVERY_MS)
window.setInterval(showAge, 500)
document.addEventListener('visibilitychange', read)

/** Reads and shows the figures; a page that nobody looks at asks for nothing. */
async function read() {
  if (document.hidden) return
  try {
    const answer = await fetch('/status', { signal: AbortSignal.timeout(PATIENCE_MS) })
    if (!answer.ok) throw new Error(`status ${answer.status}`)
    show(await answer.json())
    figuresAtMs = window.performance.now()
    failure = ''
  } catch (error) {
    failure = error instanceof TypeError ? 'it cannot be reached' : String(error.message)
  }
  showAge()
}

function show(status) {
  const { network, chain, health, providers, totals } = status
  const kind = network.development ? ', for development' : ''
  text('network', `network ${network.name} (${network.id})${kind}`)
  text('simulated', developmentNotice(status))
  element('simulated').hidden = !network.development
  changed('health', health, () => {
    element('health').dataset.state = health.ok ? 'good' : 'bad'
    text(
      'verdict',
      health.ok ? 'Healthy: the market serves.' : 'The market does not serve as it should.',
    )
    element('problems').replaceChildren(...health.problems.map((each) => make('li', each)))
  })
  text('openJobs', status.openJobs)
  text('waiting', status.waiting)
  text('connected', providers.length)
  text('payable', providers.filter((each) => each.payable).length)
  text('block', blockAge(chain))
  changed('slots', status.slots, () => rows('slots', status.slots.map(slotRow)))
  text('slotsNote', listed(status.slots.length, totals.slots, 'No provider offers a slot.'))
  changed('channels', [status.clientChannels, totals], () => showChannels(status))
}

function developmentNotice({ slots }) {
  const demo = slots.some((slot) => slot.demo)
  return (
    'A development network: its coins are worth nothing, and simulated evidence counts here. On a ' +
    'localnet consensus is simulated, and a block is made only when a message comes.' +
    (demo ? ' A demo model answers for show, and sometimes wrongly.' : '')
  )
}

function slotRow(slot) {
  const model = make('td', slot.model)
  if (slot.demo) model.append(' ', badge('demo model'))
  const price = make('td', money(slot.priceNano, slot), 'number')
  price.append(make('span', `tick ${slot.tick}`, 'note'))
  const tier = make('td', slot.tier)
  if (slot.tier === 'simulated') tier.append(' ', badge('proves nothing'))
  tier.append(make('span', slot.tierMeaning, 'note'))
  const provider = make('td')
  provider.append(make('code', `${slot.provider.slice(0, 12)}…`))
  return labelled([model, price, make('td', slot.capacity, 'number'), tier, provider], SLOT_LABELS)
}

/** Channels are numbered here: an address leads to its payer, and screens get photographed. */
function showChannels({ clientChannels, totals }) {
  const sums = [totals.deposit, totals.cumulative, totals.spent, totals.claimed]
  rows(
    'channels',
    clientChannels.map((each, i) =>
      amounts(`channel ${i + 1}`, [each.deposit, each.cumulative, each.spent, each.claimed], each),
    ),
  )
  const foot = totals.channels > 0 ? [amounts(`all ${totals.channels}`, sums)] : []
  element('channels').tFoot.replaceChildren(...foot)
  const nothing = 'No client has opened a channel.'
  text('channelsNote', listed(clientChannels.length, totals.channels, nothing))
}

function amounts(name, values, of = {}) {
  const cells = values.map((value) => make('td', money(value, of), 'number'))
  return labelled([make('td', name), ...cells], CHANNEL_LABELS)
}

function rows(table, made) {
  element(table).tBodies[0].replaceChildren(...made)
}

/** A row whose cells carry their column's name, which a narrow screen shows beside them. */
function labelled(cells, labels) {
  const row = make('tr')
  cells.forEach((cell, i) => {
    cell.dataset.label = labels[i]
  })
  row.append(...cells)
  return row
}

function listed(shown, all, none) {
  if (all === 0) return none
  return shown < all ? `The first ${shown} of ${all}; sums are of all.` : ''
}

function blockAge({ answers, lastBlockAgeS }) {
  if (lastBlockAgeS === null) return answers ? '–' : 'no answer'
  return `${duration(lastBlockAgeS)} ago`
}

/** Says how old the figures are, and where they are too old to be trusted. */
function showAge() {
  const ageMs = figuresAtMs === undefined ? undefined : window.performance.now() - figuresAtMs
  const old = ageMs === undefined ? failure !== '' : ageMs > OLD_MS
  document.documentElement.classList.toggle('old', old)
  const seconds = duration(Math.floor((ageMs ?? 0) / 1000))
  text('age', ageMs === undefined ? 'no figures yet' : `figures are ${seconds} old`)
  if (!old) return
  drawn.delete('health')
  element('health').dataset.state = 'bad'
  text('verdict', `This scheduler does not answer${failure === '' ? '' : `: ${failure}`}.`)
  const advice = ageMs === undefined ? 'Is it running?' : `What you see is ${seconds} old.`
  element('problems').replaceChildren(make('li', advice))
}

/** `"1234567890"` nanoTON as `1.23456789`, or of a jetton with its unit: exact. */
function money(amount, { money: jetton }) {
  const decimals = jetton ? jetton.decimals : NANO_DIGITS
  const digits = amount.padStart(decimals + 1, '0')
  const fraction = digits.slice(-decimals).replace(/0+$/, '')
  const figure = digits.slice(0, -decimals) + (fraction && `.${fraction}`)
  return jetton ? `${figure} ${jetton.unit}` : figure
}

function duration(seconds) {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  return `${Math.floor(seconds / 3_600)} h`
}

function badge(words) {
  return make('span', words, 'badge')
}

function make(tag, words, className) {
  const made = document.createElement(tag)
  if (words !== undefined) made.textContent = words
  if (className) made.className = className
  return made
}

function text(id, words) {
  const target = element(id)
  if (target.textContent !== String(words)) target.textContent = words
}

/** Draws a section where its figures are not those that stand there. */
function changed(name, figures, draw) {
  const now = JSON.stringify(figures)
  if (drawn.get(name) === now) return
  drawn.set(name, now)
  draw()
}
