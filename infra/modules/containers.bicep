// Containers, queues and tables of Upkeep's own account. Their names are those of shared/domain/names.py, the adapters and the
// triggers; docs/decisions/0001-state.md says what lies in each.

param accountName string

@description('Container of the deployed package, which Flex Consumption reads at start.')
param packageContainer string

@description('Container of events that Event Grid could not deliver.')
param deadLetterContainer string

var containers = [
  'landing'
  'accepted'
  'quarantine'
  'upkeep'
  'runs'
  packageContainer
  deadLetterContainer
]

// azureml-events and uploads are filled by Event Grid, uploads by the sweep too, nudge by the app alone.
var queues = [
  'uploads'
  'azureml-events'
  'nudge'
]

var tables = [
  'upkeep'
  'uploads'
]

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: account
  name: 'default'
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [for name in containers: {
  parent: blobService
  name: name
  properties: {
    publicAccess: 'None'
  }
}]

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [for name in queues: {
  parent: queueService
  name: name
}]

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [for name in tables: {
  parent: tableService
  name: name
}]

output accountName string = account.name
