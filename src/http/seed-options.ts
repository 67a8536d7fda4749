/**
 * What the seed's four endpoints say of themselves to OPTIONS. Nothing is known to read it; it costs nothing to go on
 * answering. Where the product takes or answers something else than the seed did, it says what is true now.
 */
export interface EndpointDescription {
  readonly name: string;
  readonly description: string;
  readonly renders: readonly string[];
  readonly parses: readonly string[];
  readonly actions?: Readonly<Record<string, Readonly<Record<string, FieldDescription>>>>;
}

interface FieldDescription {
  readonly type: 'string' | 'boolean';
  readonly required: boolean;
  readonly read_only: boolean;
  readonly label: string;
}

const MEDIA = {
  renders: ['application/json', 'text/html'],
  parses: ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'],
} as const;

const given = (label: string): FieldDescription => ({ type: 'string', required: true, read_only: false, label });
const answered = (label: string): FieldDescription => ({ type: 'string', required: false, read_only: true, label });

const SEED: Readonly<Record<string, EndpointDescription>> = {
  '/api/token/': {
    name: 'Token Obtain Pair',
    description:
      'Takes a set of user credentials and returns an access and refresh JSON web\n' +
      'token pair to prove the authentication of those credentials.',
    ...MEDIA,
    actions: { POST: { username: given('Username'), password: given('Password') } },
  },
  '/api/token/refresh/': {
    name: 'Token Refresh',
    description:
      'Takes a refresh type JSON web token and returns an access type JSON web\n' +
      'token if the refresh token is valid.',
    ...MEDIA,
    actions: { POST: { refresh: given('Refresh'), access: answered('Access') } },
  },
  '/api/virtual_numbers/': { name: 'Virtual Number List', description: '', ...MEDIA },
  '/api/virtual_numbers/create/': {
    name: 'Virtual Number Create',
    description: '',
    ...MEDIA,
    actions: {
      POST: {
        id: answered('ID'),
        phone_number: given('Phone number'),
        is_active: { type: 'boolean', required: false, read_only: false, label: 'Is active' },
      },
    },
  },
};

export const describeSeedEndpoint = (path: string): EndpointDescription | undefined => SEED[path];
