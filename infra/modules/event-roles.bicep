// What Event Grid may do in Upkeep's account: put messages into the one queue of each topic, and blobs into the dead-letter container.

import { roles } from 'roles.bicep'

param storageName string
param deadLetterContainer string

@description('Identity of the topic of the storage account.')
param uploadsPrincipalId string

@description('Identity of the topic of the workspace.')
param workspacePrincipalId string

var senders = [
  {
    queue: 'uploads'
    principalId: uploadsPrincipalId
  }
  {
    queue: 'azureml-events'
    principalId: workspacePrincipalId
  }
]

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' existing = [for each in senders: {
  parent: queues
  name: each.queue
}]

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: storage
  name: 'default'
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: blobs
  name: deadLetterContainer
}

// deliveryWithResourceIdentity of the two subscriptions.
resource sends 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (each, index) in senders: {
  scope: queue[index]
  name: guid(storage.id, each.queue, each.principalId, 'Storage Queue Data Message Sender')
  properties: {
    description: 'Event Grid delivers into the queue ${each.queue}.'
    principalId: each.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Queue Data Message Sender'])
  }
}]

// deadLetterWithResourceIdentity of the two subscriptions.
resource buries 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for each in senders: {
  scope: deadLetters
  name: guid(deadLetters.id, each.principalId, 'Storage Blob Data Contributor')
  properties: {
    description: 'Event Grid keeps what it could not deliver into ${each.queue}.'
    principalId: each.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Storage Blob Data Contributor'])
  }
}]
