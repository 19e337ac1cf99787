/**
 * The Chain and Wallet ports over @ton/ton's client and a localnet, by the common suite.
 * @module
 */
import { chainCompliance } from '../support/chainCompliance.ts'
import { localnetFixture } from '../support/localnet.ts'

chainCompliance('TonClient on a localnet', localnetFixture)
