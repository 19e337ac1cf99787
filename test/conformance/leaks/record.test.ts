/**
 * The recorded answers are what the committed model says.
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend } from '../../../node/backends/backend.ts'
import { ANSWERS_A_TOPIC, answer, readAnswers, startModel, TOPICS } from './record.ts'

describe('recorded answers', () => {
  const recorded = readAnswers()
  let backend: Backend
  beforeAll(async () => {
    backend = await startModel()
  })
  afterAll(() => backend.stop())

  it.each(TOPICS)('of %s are repeated by the demo model', async (topic) => {
    const ofTopic = recorded.filter((each) => each.topic === topic)
    expect(ofTopic.length).toBe(ANSWERS_A_TOPIC)
    for (const i of [0, 77, 499]) expect(await answer(backend, topic, i)).toEqual(ofTopic[i])
  })
})
