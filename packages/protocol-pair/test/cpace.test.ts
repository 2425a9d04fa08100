/** The vectors of draft-irtf-cfrg-cpace-21, appendices A and B.3. */
import { createHash } from 'node:crypto'
import { fromHex, toHex } from '@ropewalk/framing'
import t from 'tap'
import { elementOf, equalBytes, generatorOf, generatorString, joinPieces, scalarOf, sessionKey, sharedOf, tagOf } from '../src/codec.ts'
import { sha512 } from './pairs.ts'

const text = (text: string): Uint8Array => new TextEncoder().encode(text)
const PASSWORD = text('Password')
const CHANNEL = fromHex('0b415f696e69746961746f720b425f726573706f6e646572')
const SESSION = fromHex('7e4b4791d6a8ef019b936c79fb7f2c57')
const A = { element: fromHex('d6bac480f2c386c394efc7c47adb9925dcd2630b64f240c50f8d0eec482b9157'), data: text('ADa') }
const B = { element: fromHex('3ea7e0b19560d7c0b0f5734f63b955286dfa8232b5ebe63324e2d9e7433f7258'), data: text('ADb') }
const SCALAR_A = fromHex('da3d23700a9e5699258aef94dc060dfda5ebb61f02a5ea77fad53f4ff0976d08')
const SCALAR_B = fromHex('d2316b454718c35362d83d69df6320f38578ed5984651435e2949762d900b80d')
const SHARED = '80b69a8a76457ab6a4d7f887a4bf6b55a2f80ac19c333f917a05fc9887c8b40f'
const KEY = 'b69effbf61b51d56401c0f65601abe428de8206feaaf0e32198896dcae7b35cd2b38950a39dfd5d4a79164614c2984f7daa460b588c1e80c3fa2068af7900447'

t.test('A.1: pieces behind their lengths', async t => {
  t.equal(toHex(joinPieces(text('1234'), text('5'), text(''), text('678'))), '043132333401350003363738')
  const long = joinPieces(Uint8Array.from({ length: 128 }, (_, i) => i))
  t.equal(long.length, 130)
  t.equal(toHex(long.subarray(0, 3)), '800100')
})

t.test('B.3.1: the generator', async t => {
  const string = generatorString(PASSWORD, CHANNEL, SESSION)
  t.equal(toHex(string), `11435061636552697374726574746f3235350850617373776f726464${'00'.repeat(100)}180b415f696e69746961746f720b425f726573706f6e646572107e4b4791d6a8ef019b936c79fb7f2c57`)
  t.equal(toHex(sha512(string)), 'da6d3ddc8802fca9058755ffd3ebde08a9c2c74945901a258482a288b6663af06bf645c93cd1c51512307199c80e84908916d983b34af77205f90851a657ee27')
  t.equal(toHex(generatorOf(sha512, PASSWORD, CHANNEL, SESSION)), '222b6b195fe84b1652badb6f6a3ae3d24341e7306967f0b8115b40d5698c7e56')
})

t.test('B.3.2 to B.3.5: shares, what is shared, and the key', async t => {
  const generator = generatorOf(sha512, PASSWORD, CHANNEL, SESSION)
  t.equal(toHex(elementOf(generator, scalarOf(SCALAR_A))), toHex(A.element))
  t.equal(toHex(elementOf(generator, scalarOf(SCALAR_B))), toHex(B.element))
  t.equal(toHex(sharedOf(scalarOf(SCALAR_A), B.element)), SHARED)
  t.equal(toHex(sharedOf(scalarOf(SCALAR_B), A.element)), SHARED)
  t.equal(toHex(sessionKey(sha512, SESSION, fromHex(SHARED), A, B)), KEY)
})

t.test('B.3.10: what is no element, or the identity, is refused', async t => {
  const scalar = scalarOf(fromHex('7cd0e075fa7955ba52c02759a6c90dbbfc10e6d40aea8d283e407d88cf538a05'))
  t.equal(toHex(sharedOf(scalar, fromHex('2c3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c'))), '7c13645fe790a468f62c39beb7388e541d8405d1ade69d1778c5fe3e7f6b600e')
  for (const bad of ['2b3c6b8c4f3800e7aef6864025b4ed79bd599117e427c41bd47d93d654b4a51c', '00'.repeat(32), 'ff'.repeat(32), '00'.repeat(31)]) {
    t.throws(() => sharedOf(scalar, fromHex(bad)), { code: 'ERR_BAD_SHARE' }, bad)
  }
})

t.test('section 10.4: tags are HMACs under a key of their own, one for each side', async t => {
  const key = fromHex(KEY)
  const { createHmac } = await import('node:crypto')
  const macKey = createHash('sha512').update('CPaceMac').update(SESSION).update(key).digest()
  for (const share of [A, B]) {
    const wanted = createHmac('sha512', macKey).update(joinPieces(share.element, share.data)).digest('hex')
    t.equal(toHex(tagOf(sha512, SESSION, key, share)), wanted)
  }
})

t.test('scalars have at most 252 bits and are not zero; bytes are equal only as a whole', async t => {
  t.equal(scalarOf(new Uint8Array(32).fill(255)), 2n ** 252n - 1n)
  t.throws(() => scalarOf(new Uint8Array(32)), RangeError)
  t.throws(() => scalarOf(new Uint8Array(31).fill(1)), RangeError)
  t.ok(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)))
  for (const other of [[1, 3], [1], [1, 2, 0], [0, 2]]) t.notOk(equalBytes(Uint8Array.of(1, 2), Uint8Array.from(other)), other.join())
})
