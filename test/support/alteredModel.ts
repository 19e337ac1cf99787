/**
 * Copies of a GGUF model that a cheat, or another machine, would serve: its Q8_0 tensors rounded to
 * fewer bits, or the same weights as 16-bit floats, which other arithmetic computes with.
 *
 * Reads just enough of the format (github.com/ggml-org/ggml, docs/gguf.md, version 3): the kinds
 * and places of tensors. A block of Q8_0 is a half-precision scale and 32 signed bytes.
 * @module
 */
const Q8_0 = 8
const F16 = 1
const BLOCK_BYTES = 34
const BLOCK_VALUES = 32
/** Bytes of the fixed-size value types of GGUF, by type number; 8 is a string, 9 an array. */
const VALUE_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8]

interface Tensor {
  readonly name: string
  readonly values: number
  readonly type: number
  /** Where its type and its offset are written. */
  readonly at: number
  readonly offset: number
}

interface Gguf {
  readonly tensors: readonly Tensor[]
  readonly dataStart: number
  readonly alignment: number
}

/** The weights rounded to `bits` bits a value, in the same format: every block keeps its scale. */
export function roundedModel(model: Buffer, bits: number): Buffer {
  const out = Buffer.from(model)
  const { tensors, dataStart } = parse(model)
  const levels = 2 ** (bits - 1) - 1
  for (const tensor of tensors.filter(({ type }) => type === Q8_0)) {
    const start = dataStart + tensor.offset
    for (let block = 0; block < tensor.values / BLOCK_VALUES; block++) {
      for (let i = 2; i < BLOCK_BYTES; i++) {
        const at = start + block * BLOCK_BYTES + i
        const level = Math.round((out.readInt8(at) * levels) / 127)
        out.writeInt8(Math.round((level * 127) / levels), at)
      }
    }
  }
  return out
}

/** The same weights as 16-bit floats: equal but for the last bit of some, computed another way. */
export function halfFloatModel(model: Buffer): Buffer {
  const { tensors, dataStart, alignment } = parse(model)
  const head = Buffer.from(model.subarray(0, dataStart))
  const parts: Buffer[] = [head]
  let offset = 0
  for (const tensor of tensors) {
    const data = tensorData(model, dataStart, tensor)
    const padding = Buffer.alloc((alignment - (data.length % alignment)) % alignment)
    if (tensor.type === Q8_0) head.writeUInt32LE(F16, tensor.at)
    head.writeBigUInt64LE(BigInt(offset), tensor.at + 4)
    parts.push(data, padding)
    offset += data.length + padding.length
  }
  return Buffer.concat(parts)
}

function tensorData(model: Buffer, dataStart: number, { type, values, offset }: Tensor): Buffer {
  const start = dataStart + offset
  if (type !== Q8_0) return model.subarray(start, start + values * 4) // F32: norms
  const floats = new Float16Array(values)
  for (let block = 0; block < values / BLOCK_VALUES; block++) {
    const at = start + block * BLOCK_BYTES
    const scale = new DataView(model.buffer, model.byteOffset + at).getFloat16(0, true)
    for (let i = 0; i < BLOCK_VALUES; i++) {
      floats[block * BLOCK_VALUES + i] = scale * model.readInt8(at + 2 + i)
    }
  }
  return Buffer.from(floats.buffer)
}

function parse(model: Buffer): Gguf {
  if (model.toString('latin1', 0, 4) !== 'GGUF') throw new Error('no GGUF file')
  let at = 8
  const step = (bytes: number) => {
    at += bytes
    return at - bytes
  }
  const u32 = () => model.readUInt32LE(step(4))
  const u64 = () => Number(model.readBigUInt64LE(step(8)))
  const text = () => {
    const length = u64()
    at += length
    return model.toString('utf8', at - length, at)
  }
  const tensorCount = u64()
  const valueCount = u64()
  let alignment = 32
  for (let i = 0; i < valueCount; i++) {
    const key = text()
    const type = u32()
    if (key === 'general.alignment') alignment = model.readUInt32LE(at)
    skip(type)
  }
  function skip(type: number): void {
    if (type === 8) text()
    else if (type === 9) {
      const inner = u32()
      for (let left = u64(); left > 0; left--) skip(inner)
    } else at += VALUE_BYTES[type] ?? 0
  }
  const tensors: Tensor[] = []
  for (let i = 0; i < tensorCount; i++) {
    const name = text()
    const values = Array.from({ length: u32() }, u64).reduce((product, size) => product * size, 1)
    const place = at
    tensors.push({ name, values, at: place, type: u32(), offset: u64() })
  }
  return { tensors, alignment, dataStart: Math.ceil(at / alignment) * alignment }
}
